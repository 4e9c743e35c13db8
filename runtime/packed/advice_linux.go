package packed

import "golang.org/x/sys/unix"

// wantHugePages has the kernel read the file in huge pages where its file system can. Others refuse: it is advice.
func wantHugePages(content []byte) { _ = unix.Madvise(content, unix.MADV_HUGEPAGE) }
