package cost

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"

	"github.com/glmc/glmc/compiler/ir"
)

// fileFormat is the number of the form of files with figures.
const fileFormat = 1

// MaxFileSize bounds a file with figures, in bytes.
const MaxFileSize = 1 << 20

// jsonFile is a file with figures, and what `glmc devices --json` prints.
type jsonFile struct {
	Format  int          `json:"format"`
	Devices []jsonDevice `json:"devices"`
}

type jsonDevice struct {
	Name    string                 `json:"name"`
	Source  string                 `json:"source"`
	Figures map[string]json.Number `json:"figures"`
}

// EncodeFile writes devices with their figures as one JSON document.
func EncodeFile(devices ...*Device) ([]byte, error) {
	f := jsonFile{Format: fileFormat, Devices: []jsonDevice{}}
	for _, d := range devices {
		j := jsonDevice{Name: d.Name, Source: d.Source, Figures: map[string]json.Number{}}
		for _, a := range d.Figures() {
			text, err := json.Marshal(a.Value)
			if err != nil {
				return nil, fmt.Errorf("figure %s of device %s: %w", a.Key, d.Name, err)
			}
			j.Figures[a.Key] = json.Number(text)
		}
		f.Devices = append(f.Devices, j)
	}
	out, err := json.MarshalIndent(f, "", "  ")
	return append(out, '\n'), err
}

// DecodeFile reads what EncodeFile writes, by name. It refuses unknown devices and figures, and numbers that no
// machine has.
func DecodeFile(data []byte) (map[string]*Device, error) {
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	var f jsonFile
	if err := dec.Decode(&f); err != nil {
		return nil, fmt.Errorf("no file with figures of devices: %w", err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("something follows the figures")
	}
	if f.Format != fileFormat {
		return nil, fmt.Errorf("its format is %d: this glmc reads %d", f.Format, fileFormat)
	}
	out := map[string]*Device{}
	for _, j := range f.Devices {
		if Devices[j.Name] == nil {
			return nil, fmt.Errorf("there is no device %q: the cost model knows %v", j.Name, Names())
		}
		if out[j.Name] != nil {
			return nil, fmt.Errorf("device %s stands there twice", j.Name)
		}
		if j.Source == "" || j.Source == Builtin {
			return nil, fmt.Errorf("device %s: source is %q: wants to say where the figures come from", j.Name, j.Source)
		}
		list, err := j.attrs()
		if err != nil {
			return nil, err
		}
		if out[j.Name], err = FromFigures(j.Name, j.Source, list); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// attrs are the figures with the types that FromFigures wants.
func (j *jsonDevice) attrs() (ir.Attrs, error) {
	var list ir.Attrs
	for _, key := range slices.Sorted(maps.Keys(j.Figures)) {
		a := ir.Attr{Key: key}
		var err error
		if key == tileKey || key == sharedKey || key == mappedKey {
			a.Value, err = j.Figures[key].Int64()
		} else {
			a.Value, err = j.Figures[key].Float64()
		}
		if err != nil {
			return nil, fmt.Errorf("figure %s of device %s is %s: wants a number", key, j.Name, j.Figures[key])
		}
		list = append(list, a)
	}
	return list, nil
}
