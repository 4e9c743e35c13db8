package ir

import "strings"

// Range is where an operator stands in the .glm file as one text: "model.glm:80:9-80:25", or "model.glm:80:9" where the
// end is not known.
func (o Origin) Range() string { return JoinRange(o.Source, o.End) }

// JoinRange writes a place and the end of what stands there as one text.
func JoinRange(source, end string) string {
	if end == "" {
		return source
	}
	return source + "-" + end
}

// CutRange takes a text of JoinRange apart. What is no such text is a place without an end.
func CutRange(text string) (source, end string) {
	at := strings.LastIndexByte(text, '-')
	if at < 0 || !isPlace(text[at+1:]) {
		return text, ""
	}
	line := strings.LastIndexByte(text[:at], ':')
	if line < 0 {
		return text, ""
	}
	if file := strings.LastIndexByte(text[:line], ':'); !isPlace(text[file+1 : at]) {
		return text, ""
	}
	return text[:at], text[at+1:]
}

// isPlace reports whether a text is "line:col".
func isPlace(text string) bool {
	line, column, ok := strings.Cut(text, ":")
	return ok && isNumber(line) && isNumber(column)
}

func isNumber(text string) bool {
	return text != "" && strings.Trim(text, "0123456789") == ""
}
