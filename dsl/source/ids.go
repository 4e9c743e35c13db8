package source

// IDs of the diagnostics of this package.
const (
	idBadImportPath = "bad-import-path"
	idImportUnread  = "import-unread"
	idImportCycle   = "import-cycle"
	idUnknownImport = "unknown-import"
	idTooManyFiles  = "too-many-files"
)
