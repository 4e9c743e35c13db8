package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/spf13/pflag"
)

const (
	envPrefix     = "GLMC_"
	maxConfigFile = 1 << 20
)

// otherEnv are variables of the environment that begin like those of flags and are none.
var otherEnv = []string{"GLMC_CPU"}

// kubernetesEnv is what Kubernetes puts into the environment of every pod for a service that is called glmc.
var kubernetesEnv = regexp.MustCompile(`_SERVICE_(HOST|PORT)(_\w+)?$|_PORT(_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)?$`)

// configure gives flags that the command line does not have their values from the environment, or else from the JSON file that a
// flag of the same set names. A variable that is empty counts as none.
func configure(fs *pflag.FlagSet, lookup func(string) (string, bool), environ []string, file *string) error {
	if err := unknownEnv(fs, environ); err != nil {
		return err
	}
	given := map[string]bool{}
	fs.Visit(func(f *pflag.Flag) { given[f.Name] = true })
	var err error
	fs.VisitAll(func(f *pflag.Flag) {
		name := envName(f.Name)
		value, ok := lookup(name)
		if err != nil || !ok || value == "" || given[f.Name] || f.Name == "help" {
			return
		}
		given[f.Name] = true
		list := []string{value}
		if _, isList := f.Value.(pflag.SliceValue); isList {
			list = strings.Split(value, ",")
		}
		if setErr := setFlag(fs, f, list); setErr != nil {
			err = usagef("%s: %w", name, setErr)
		}
	})
	if err != nil || *file == "" {
		return err
	}
	return configureFrom(fs, *file, given)
}

func envName(flag string) string {
	return envPrefix + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}

// unknownEnv refuses variables that look as if they were for a flag that does not exist.
func unknownEnv(fs *pflag.FlagSet, environ []string) error {
	known := slices.Clone(otherEnv)
	fs.VisitAll(func(f *pflag.Flag) { known = append(known, envName(f.Name)) })
	for _, pair := range environ {
		name, value, _ := strings.Cut(pair, "=")
		if value != "" && strings.HasPrefix(name, envPrefix) && !slices.Contains(known, name) && !kubernetesEnv.MatchString(name) {
			return usagef("there is no setting for %s in the environment%s", name, nearOnly(name, known))
		}
	}
	return nil
}

// setFlag sets a flag to a value, or one that is a list to values.
func setFlag(fs *pflag.FlagSet, f *pflag.Flag, values []string) error {
	if list, ok := f.Value.(pflag.SliceValue); ok {
		if err := list.Replace(values); err != nil {
			return fmt.Errorf("wants %s", flagWants(f))
		}
		f.Changed = true
		return nil
	}
	err := fs.Set(f.Name, values[0])
	var invalid *pflag.InvalidValueError
	if errors.As(err, &invalid) {
		return fmt.Errorf("%q: wants %s", values[0], flagWants(f))
	}
	return err
}

// configureFrom takes the values of a JSON file for the flags that were not given otherwise.
func configureFrom(fs *pflag.FlagSet, file string, given map[string]bool) error {
	data, err := readLimited(file, maxConfigFile)
	if err != nil {
		return fmt.Errorf("--config-file: %w", err)
	}
	settings := map[string]json.RawMessage{}
	d := json.NewDecoder(bytes.NewReader(data))
	if err := d.Decode(&settings); err != nil {
		return fmt.Errorf("%s: wants one JSON object with flags and their values: %w", file, err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return fmt.Errorf("%s: something stands behind the JSON object", file)
	}
	var names []string
	fs.VisitAll(func(f *pflag.Flag) {
		if f.Name != "help" && f.Name != "config-file" {
			names = append(names, f.Name)
		}
	})
	for _, name := range slices.Sorted(maps.Keys(settings)) {
		if !slices.Contains(names, name) {
			return fmt.Errorf("%s: there is no setting %q%s", file, name, nearOnly(name, names))
		}
		if given[name] {
			continue
		}
		f := fs.Lookup(name)
		values, err := settingOf(f, settings[name])
		if err == nil {
			err = setFlag(fs, f, values)
		}
		if err != nil {
			return fmt.Errorf("%s: %s: %w", file, name, err)
		}
	}
	return nil
}

// settingOf reads a JSON value as the words of a command line: a list where the flag is one.
func settingOf(f *pflag.Flag, raw json.RawMessage) ([]string, error) {
	one := func(raw json.RawMessage) (string, bool) {
		var text string
		if json.Unmarshal(raw, &text) == nil && string(raw) != "null" {
			return text, true
		}
		c := raw[0]
		return string(raw), c == '-' || c >= '0' && c <= '9' || c == 't' || c == 'f'
	}
	if _, ok := f.Value.(pflag.SliceValue); ok {
		var list []json.RawMessage
		if json.Unmarshal(raw, &list) != nil || list == nil {
			list = []json.RawMessage{raw}
		}
		values := make([]string, len(list))
		for i, element := range list {
			if values[i], ok = one(element); !ok {
				return nil, fmt.Errorf("%s: wants a list of values", raw)
			}
		}
		return values, nil
	}
	value, ok := one(raw)
	if !ok {
		return nil, fmt.Errorf("%s: wants %s", raw, flagWants(f))
	}
	return []string{value}, nil
}

// nearOnly suggests the most similar of known words, where there is one.
func nearOnly(word string, known []string) string {
	if near := didYouMean(word, known); strings.HasPrefix(near, ": did") {
		return near
	}
	return ""
}
