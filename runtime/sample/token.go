package sample

// Token is a token that was picked, with what the model thought of it.
type Token struct {
	ID int32
	// Logprob is the natural logarithm of the token's probability under the model's own distribution: the softmax of its
	// logits, before temperature, penalties and masks, as OpenAI's interface and vLLM report it.
	Logprob float32
	// Rank is how many tokens are as probable or more, itself included, as vLLM reports it; 0: nobody asked (Sampler.Score does).
	Rank int32
	// Top are the most probable tokens, most probable first, as many as Params.Alternatives asks for; nil without.
	Top []Alternative
}

// Alternative is a token that could have been picked.
type Alternative struct {
	ID      int32
	Logprob float32
}
