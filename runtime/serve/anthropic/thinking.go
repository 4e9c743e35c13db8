package anthropic

import (
	"crypto/sha256"
	"encoding/base64"
	"strings"
)

// thinking reads whether the model is to think. Who does not say does not get any: many programs take the first block of a message
// for its text. How many tokens it may think for is accepted and not enforced.
func (d *decoder) thinking() {
	on := false
	if in := d.Object.Object("thinking"); in != nil {
		if !in.Has("type") {
			in.Wrong("type", "is missing; must be enabled, disabled or adaptive")
		}
		on = in.Word("type", "enabled", "disabled", "adaptive", "between_tools") != "disabled"
		in.Int("budget_tokens", 1, 1<<31-1)
		d.omitted = in.Word("display", "summarized", "omitted") == "omitted"
	}
	if d.model.Thinks {
		d.request.Thinking = &on
	}
}

// Signatures of thinking. Anthropic's prove that its models thought so; here nothing is proved, and clients only want them to be
// there and give them back. Where a client does not want to see the thinking, its signature carries it, so that the next
// request has it.
const (
	signedPrefix  = "glmc-sum-"
	carriedPrefix = "glmc-text-"
)

func signature(thinking string, omitted bool) string {
	if omitted {
		return carriedPrefix + base64.StdEncoding.EncodeToString([]byte(thinking))
	}
	sum := sha256.Sum256([]byte(thinking))
	return signedPrefix + base64.StdEncoding.EncodeToString(sum[:12])
}

// carried is the thinking in a signature.
func carried(signature string) string {
	text, ok := strings.CutPrefix(signature, carriedPrefix)
	if !ok {
		return ""
	}
	thinking, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return "" // somebody else's
	}
	return strings.ToValidUTF8(string(thinking), "\uFFFD")
}
