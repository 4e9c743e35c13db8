package config

// IDs of the diagnostics of this package.
const (
	idMissingKey   = "missing-config-key"
	idWrongType    = "wrong-config-type"
	idNoValue      = "no-config-value"
	idBadFlag      = "bad-config-flag"
	idEvaluation   = "cannot-evaluate"
	idAssertion    = "assertion-failed"
	idArchitecture = "architecture-mismatch"
	idUnknownDType = "unknown-config-dtype"
)
