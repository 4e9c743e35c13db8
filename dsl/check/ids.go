package check

// IDs of the diagnostics of this package.
const (
	idUnknownName     = "unknown-name"
	idUnknownFunction = "unknown-function"
	idUnknownType     = "unknown-type"
	idDuplicateName   = "duplicate-name"
	idUnused          = "unused-name"
	idUnassigned      = "unassigned-name"
	idUnexpectedPath  = "unexpected-weight-path"

	idMissingArgument   = "missing-argument"
	idUnknownArgument   = "unknown-argument"
	idDuplicateArgument = "duplicate-argument"
	idTooManyArguments  = "too-many-arguments"
	idTooManyParams     = "too-many-parameters"
	idArgumentOrder     = "argument-order"
	idArgumentType      = "argument-type"

	idTypeMismatch   = "type-mismatch"
	idNotCompileTime = "not-compile-time"
	idNotTensor      = "not-a-tensor"
	idResultCount    = "result-count"
	idShapeMismatch  = "shape-mismatch"
	idBadShape       = "bad-shape"

	idRecursion        = "recursion"
	idMissingReturn    = "missing-return"
	idUnreachable      = "unreachable-statement"
	idNeedless         = "needless-optional"
	idMissingDefault   = "missing-default"
	idEmptyMessage     = "empty-message"
	idUnboundDimension = "unbound-dimension"
	idBadClass         = "bad-class-name"
	idBadPattern       = "bad-pattern"
	idUnboundHole      = "unbound-hole"
	idUnusedAlias      = "unused-alias"
)
