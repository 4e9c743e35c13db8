// Package models embeds the descriptions of the model families that the binary carries, and a small trained model to
// run when it is given nothing else. The families themselves are data, one folder each.
package models

import (
	"embed"
	"fmt"
	"io/fs"
	"path"
	"strings"

	"github.com/glmc/glmc/dsl/source"
)

//go:embed */*.glm
var carried embed.FS

// Open returns the text of a .glm file that the binary carries, by a path such as "glmc:glm4moe/model.glm".
func Open(name string) ([]byte, error) {
	inside, ok := strings.CutPrefix(name, source.Carried)
	if !ok || !fs.ValidPath(inside) {
		return nil, fmt.Errorf("%q is no path of a file that the binary carries: it has %s", name, strings.Join(Names(), ", "))
	}
	data, err := carried.ReadFile(inside)
	if err != nil {
		return nil, fmt.Errorf("the binary carries no file %s: it has %s", name, strings.Join(Names(), ", "))
	}
	return data, nil
}

// Names returns the paths of the .glm files that the binary carries.
func Names() []string {
	var names []string
	found, err := fs.Glob(carried, "*/*.glm")
	if err != nil {
		panic("models: " + err.Error()) // the pattern is a constant
	}
	for _, name := range found {
		names = append(names, source.Carried+path.Clean(name))
	}
	return names
}

//go:embed tiny/config.json tiny/generation_config.json tiny/tokenizer.json tiny/tokenizer_config.json tiny/chat_template.jinja
var tiny embed.FS

// TinyWeights is the checkpoint of the small model, in the safetensors format. It must not be written to.
//
//go:embed tiny/model.safetensors
var TinyWeights []byte

// Tiny holds the small model's other files under the names that a checkpoint directory has.
func Tiny() fs.FS {
	sub, err := fs.Sub(tiny, "tiny")
	if err != nil {
		panic("models: " + err.Error()) // the path is a constant
	}
	return sub
}
