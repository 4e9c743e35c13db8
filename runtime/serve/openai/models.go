package openai

import (
	"fmt"

	"github.com/glmc/glmc/runtime/service"
)

// notServed says which model there is instead.
func notServed(name string, m service.Model) string {
	return fmt.Sprintf("the model %.200q is not served here; %q is", name, m.Name)
}
