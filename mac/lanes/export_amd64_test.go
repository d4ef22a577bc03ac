package lanes

func (f *few) encryptOnce() { f.encrypt(&f.chain, &f.last) }
