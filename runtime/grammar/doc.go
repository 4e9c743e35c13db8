// Package grammar keeps what a model writes inside a form: a JSON object, a JSON schema, a regular expression, tool calls. A form
// is compiled to a Grammar; a request walks through it with a State, which tells before every token which tokens may come next.
//
// # How
//
// A grammar is a graph of nodes over bytes: literals, automata, sequences, alternatives, repetitions, objects and arrays, which may
// lead back to themselves. A place in it is a stack of frames, of which equal ones are the same pointer. Several places at once are
// a set, a state; states and the steps between them are made when they are needed and kept ([ADR 23]).
//
// The mask of a state is found by walking the trie of all tokens with it. Where a state takes any text, as inside of a JSON string,
// whole branches of the trie are taken without a look. Masks are kept with their states, for all requests of a grammar.
//
// # What holds
//
//   - A text that a State is done with has the form. Every text before it is the beginning of one that has.
//   - There are no dead ends: parts of a form that nothing can satisfy are left out when it is compiled, so from every state the
//     end can be reached, byte by byte.
//   - Text is UTF-8. A character may be spread over tokens.
//   - JSON is written with at most one space behind a comma or a colon and no other space: a model cannot write spaces for ever.
//   - Compiling is bounded in time and memory (see the Max constants); what is beyond is an *Error that names the place.
//
// [ADR 23]: docs/adr/0023-grammars.md
package grammar
