package load

// Document is a run as glmc bench serve --json prints it. Its fields keep their names.
type Document struct {
	URL     string `json:"url"`
	API     API    `json:"api"`
	Model   string `json:"model"`
	Dataset string `json:"dataset"` // the file's name; "random"
	// Rate is null where all sessions arrive at once.
	Rate        *float64 `json:"request_rate"`
	MaxParallel *int     `json:"max_concurrency"` // null: no bound
	Prompts     int      `json:"num_prompts"`     // requests that were to be sent
	Seed        uint64   `json:"seed"`
	// Of random prompts; 0 of a data set.
	RandomInput  int     `json:"random_input_len"`
	RandomOutput int     `json:"random_output_len"`
	RandomRatio  float64 `json:"random_range_ratio"`
	IgnoreEOS    bool    `json:"ignore_eos"`
	Temperature  float64 `json:"temperature"`
	*Report
}

// Describe fills what the options say. The rest is the caller's.
func (d *Document) Describe(o *Options) {
	d.URL, d.API, d.Model, d.Seed, d.IgnoreEOS, d.Temperature = o.URL, o.API, o.Model, o.Seed, o.IgnoreEOS, o.Temperature
	d.Rate, d.MaxParallel = nil, nil
	if !o.Closed() {
		d.Rate = &o.Rate
	}
	if o.Concurrency > 0 {
		d.MaxParallel = &o.Concurrency
	}
}
