package keystore

import "golang.org/x/sys/unix"

func excludeFromDump(pages []byte) { _ = unix.Madvise(pages, unix.MADV_DONTDUMP) }
