package lsp

import "encoding/json"

// The messages of the Language Server Protocol 3.17 that this server takes and sends, as far as it uses their fields.
// https://microsoft.github.io/language-server-protocol/specifications/lsp/3.17/specification/

// Position is a place in a document: a line, counted from 0, and the number of code units in front of the place on
// that line. Code units are bytes or UTF-16's, as negotiated.
type Position struct {
	Line      uint32 `json:"line"`
	Character uint32 `json:"character"`
}

// Range is a stretch of a document; End does not belong to it.
type Range struct {
	Start Position `json:"start"`
	End   Position `json:"end"`
}

// Location is a range in some document.
type Location struct {
	URI   string `json:"uri"`
	Range Range  `json:"range"`
}

// Encodings of positions.
const (
	encodingUTF8  = "utf-8"
	encodingUTF16 = "utf-16"
)

// InitializeParams is what a client says about itself.
type InitializeParams struct {
	Capabilities ClientCapabilities `json:"capabilities"`
}

// ClientCapabilities are the abilities of a client that make a difference to this server.
type ClientCapabilities struct {
	General struct {
		PositionEncodings []string `json:"positionEncodings"`
	} `json:"general"`
	Workspace struct {
		DidChangeWatchedFiles struct {
			DynamicRegistration bool `json:"dynamicRegistration"`
		} `json:"didChangeWatchedFiles"`
	} `json:"workspace"`
	TextDocument struct {
		Completion struct {
			CompletionItem struct {
				SnippetSupport bool `json:"snippetSupport"`
			} `json:"completionItem"`
		} `json:"completion"`
		DocumentSymbol struct {
			Hierarchical bool `json:"hierarchicalDocumentSymbolSupport"`
		} `json:"documentSymbol"`
	} `json:"textDocument"`
}

// InitializeResult says what the server can do.
type InitializeResult struct {
	Capabilities ServerCapabilities `json:"capabilities"`
	ServerInfo   ServerInfo         `json:"serverInfo"`
}

// ServerInfo names the server.
type ServerInfo struct {
	Name    string `json:"name"`
	Version string `json:"version,omitempty"`
}

// ServerCapabilities are the requests that the server answers.
type ServerCapabilities struct {
	PositionEncoding   string                  `json:"positionEncoding"`
	TextDocumentSync   TextDocumentSyncOptions `json:"textDocumentSync"`
	Completion         CompletionOptions       `json:"completionProvider"`
	SignatureHelp      SignatureHelpOptions    `json:"signatureHelpProvider"`
	Hover              bool                    `json:"hoverProvider"`
	Definition         bool                    `json:"definitionProvider"`
	References         bool                    `json:"referencesProvider"`
	DocumentHighlight  bool                    `json:"documentHighlightProvider"`
	DocumentSymbol     bool                    `json:"documentSymbolProvider"`
	CodeAction         CodeActionOptions       `json:"codeActionProvider"`
	DocumentFormatting bool                    `json:"documentFormattingProvider"`
	Rename             *RenameOptions          `json:"renameProvider,omitempty"`
}

// TextDocumentSyncOptions says how the client sends texts.
type TextDocumentSyncOptions struct {
	OpenClose bool `json:"openClose"`
	Change    int  `json:"change"` // 2: incremental
	Save      bool `json:"save"`
}

// CompletionOptions names the characters that ask for a completion, besides letters.
type CompletionOptions struct {
	TriggerCharacters []string `json:"triggerCharacters"`
}

// SignatureHelpOptions names the characters that ask for a signature.
type SignatureHelpOptions struct {
	TriggerCharacters []string `json:"triggerCharacters"`
}

// CodeActionOptions names the kinds of actions that are offered.
type CodeActionOptions struct {
	Kinds []string `json:"codeActionKinds"`
}

// RenameOptions says that a rename can be asked for beforehand.
type RenameOptions struct {
	Prepare bool `json:"prepareProvider"`
}

// TextDocumentItem is a document with its text.
type TextDocumentItem struct {
	URI     string `json:"uri"`
	Version int32  `json:"version"`
	Text    string `json:"text"`
}

// DocumentID names a document, and where the client counts, its version.
type DocumentID struct {
	URI     string `json:"uri"`
	Version int32  `json:"version"`
}

// DidOpenParams comes with a document that the client has opened.
type DidOpenParams struct {
	Document TextDocumentItem `json:"textDocument"`
}

// DidChangeParams has changes that apply one behind the other.
type DidChangeParams struct {
	Document DocumentID      `json:"textDocument"`
	Changes  []ContentChange `json:"contentChanges"`
}

// ContentChange replaces a range of a document; the whole of it where there is none.
type ContentChange struct {
	Range *Range `json:"range"`
	Text  string `json:"text"`
}

// DocumentParams is about a document as a whole.
type DocumentParams struct {
	Document DocumentID `json:"textDocument"`
}

// PositionParams is about a place in a document.
type PositionParams struct {
	Document DocumentID `json:"textDocument"`
	Position Position   `json:"position"`
}

// ReferenceParams asks for the uses of a name.
type ReferenceParams struct {
	PositionParams
	Context struct {
		IncludeDeclaration bool `json:"includeDeclaration"`
	} `json:"context"`
}

// RenameParams asks for a name to be replaced everywhere.
type RenameParams struct {
	PositionParams
	NewName string `json:"newName"`
}

// CodeActionParams asks what can be done about a range.
type CodeActionParams struct {
	Document DocumentID `json:"textDocument"`
	Range    Range      `json:"range"`
	Context  struct {
		Only []string `json:"only"`
	} `json:"context"`
}

// CancelParams withdraws a request.
type CancelParams struct {
	ID json.RawMessage `json:"id"` // a number or a string
}

// Severities of diagnostics.
const (
	severityError   = 1
	severityWarning = 2
)

// PublishDiagnosticsParams replaces all diagnostics of a document.
type PublishDiagnosticsParams struct {
	URI         string       `json:"uri"`
	Version     *int32       `json:"version,omitempty"`
	Diagnostics []Diagnostic `json:"diagnostics"`
}

// Diagnostic is one finding. Code is its stable ID.
type Diagnostic struct {
	Range    Range                `json:"range"`
	Severity int                  `json:"severity"`
	Code     string               `json:"code"`
	Source   string               `json:"source"`
	Message  string               `json:"message"`
	Tags     []int                `json:"tags,omitempty"` // 1: unnecessary
	Related  []RelatedInformation `json:"relatedInformation,omitempty"`
}

// RelatedInformation is another place that has to do with a diagnostic.
type RelatedInformation struct {
	Location Location `json:"location"`
	Message  string   `json:"message"`
}

// MarkupContent is text in Markdown.
type MarkupContent struct {
	Kind  string `json:"kind"`
	Value string `json:"value"`
}

// Hover says what something is.
type Hover struct {
	Contents MarkupContent `json:"contents"`
	Range    Range         `json:"range"`
}

// CompletionList is what can be written at a place.
type CompletionList struct {
	IsIncomplete bool             `json:"isIncomplete"`
	Items        []CompletionItem `json:"items"`
}

// Kinds of completion items.
const (
	itemFunction   = 3
	itemVariable   = 6
	itemModule     = 9
	itemProperty   = 10
	itemKeyword    = 14
	itemSnippet    = 15
	itemFile       = 17
	itemEnumMember = 20
	itemConstant   = 21
	itemType       = 25
)

// CompletionItem is one of these things.
type CompletionItem struct {
	Label         string         `json:"label"`
	Kind          int            `json:"kind"`
	Detail        string         `json:"detail,omitempty"`
	Documentation *MarkupContent `json:"documentation,omitempty"`
	SortText      string         `json:"sortText,omitempty"`
	Format        int            `json:"insertTextFormat,omitempty"` // 2: a snippet
	TextEdit      *TextEdit      `json:"textEdit,omitempty"`
}

// TextEdit replaces a range.
type TextEdit struct {
	Range   Range  `json:"range"`
	NewText string `json:"newText"`
}

// SignatureHelp shows what the call at the cursor wants.
type SignatureHelp struct {
	Signatures      []SignatureInformation `json:"signatures"`
	ActiveSignature int                    `json:"activeSignature"`
	ActiveParameter int                    `json:"activeParameter"`
}

// SignatureInformation is one signature.
type SignatureInformation struct {
	Label         string                 `json:"label"`
	Documentation *MarkupContent         `json:"documentation,omitempty"`
	Parameters    []ParameterInformation `json:"parameters"`
}

// ParameterInformation is the part of a signature's label that is one parameter, in UTF-16 units whatever the
// encoding of positions is.
type ParameterInformation struct {
	Label         [2]int `json:"label"`
	Documentation string `json:"documentation,omitempty"`
}

// Kinds of symbols.
const (
	symbolModule    = 2
	symbolNamespace = 3
	symbolClass     = 5
	symbolMethod    = 6
	symbolProperty  = 7
	symbolField     = 8
	symbolFunction  = 12
	symbolConstant  = 14
	symbolObject    = 19
	symbolEvent     = 24
)

// DocumentSymbol is a declaration with those inside it.
type DocumentSymbol struct {
	Name           string           `json:"name"`
	Detail         string           `json:"detail,omitempty"`
	Kind           int              `json:"kind"`
	Range          Range            `json:"range"`
	SelectionRange Range            `json:"selectionRange"`
	Children       []DocumentSymbol `json:"children,omitempty"`
}

// SymbolInformation is a declaration for clients that want a plain list.
type SymbolInformation struct {
	Name      string   `json:"name"`
	Kind      int      `json:"kind"`
	Location  Location `json:"location"`
	Container string   `json:"containerName,omitempty"`
}

// DocumentHighlight is a place where the name at the cursor stands.
type DocumentHighlight struct {
	Range Range `json:"range"`
}

// WorkspaceEdit has edits by document.
type WorkspaceEdit struct {
	Changes map[string][]TextEdit `json:"changes"`
}

// CodeAction is an edit with a title.
type CodeAction struct {
	Title       string        `json:"title"`
	Kind        string        `json:"kind"`
	Diagnostics []Diagnostic  `json:"diagnostics,omitempty"`
	IsPreferred bool          `json:"isPreferred,omitempty"`
	Edit        WorkspaceEdit `json:"edit"`
}

const quickFix = "quickfix"

// RegistrationParams asks the client for notifications that it does not send unasked.
type RegistrationParams struct {
	Registrations []Registration `json:"registrations"`
}

// Registration is one of them.
type Registration struct {
	ID      string       `json:"id"`
	Method  string       `json:"method"`
	Options WatchOptions `json:"registerOptions"`
}

// WatchOptions name the files whose changes on disk are wanted.
type WatchOptions struct {
	Watchers []Watcher `json:"watchers"`
}

// Watcher is one pattern of such names.
type Watcher struct {
	Glob string `json:"globPattern"`
}
