// Package filemap has files in memory: mapped where the system can, read where it cannot.
package filemap
