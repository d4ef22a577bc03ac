package keystore_test

import "testing"

// Every 16-byte key of the published examples, master keys, card keys and the
// keys that they load alike, with the place it was printed in.
var publishedKeys = []struct{ digits, source string }{
	{"0123456789ABCDEFFEDCBA9876543210", "GB/T 32907 example 1"},
	{"5775204D69616F6A756E404726444311", "https://jishuzhan.net/article/1831616334182486018"},
	{"00112233445566778899AABBCCDDEEFF", "klks/fmcos-python E-Wallet CPU Card and PSAM Card Consumption Key Loading Analysis"},
	{"496BD7A3513644533100B54E71196528", "klks/fmcos-python E-Wallet CPU Card and PSAM Card Consumption Key Loading Analysis"},
	{"26ABD3D31EAD9C238B9414B0FE2465E6", "unit test of the Go package xgm"},
	{"C6E7DB6B460E3EB8A336964DC6746795", "unit test of the Go package xgm"},
	{"CAA6025290114BFCC3C9043F70F7A07A", "ConardLKL/ChangSha doc/华大智宝/t2_load.txt"},
	{"11223344556677888877665544332211", "https://blog.csdn.net/slj_win/article/details/42240855"},
	{"374598B5C0B0EAE1E1D06609AC5BB369", "ConardLKL/ChangSha doc/华大智宝/t2_load.txt"},
	{"3F3F3F3F3F3F3F3F1122334455667788", "klks/fmcos-python Set up a simple test PBOC payment environment on FMCOS CPU"},
	{"34343434343434341122334455667788", "klks/fmcos-python Set up a simple test PBOC payment environment on FMCOS CPU"},
	{"A338D92A10C8285411E761445C831C22", "ConardLKL/ChangSha doc/华大智宝/t7_purchase.py"},
	{"FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF", "ConardLKL/ChangSha test/changsha.jcsh"},
	{"6474215EF549707831BB8DB9895FD48A", "ConardLKL/ChangSha doc/华大智宝/t5_appBlock.txt"},
	{"C3F4335E76520F8BBB018F6B1ACE48A6", "ConardLKL/ChangSha test/appunblock.jcsh + doc/keys.txt"},
	{"F28E92292DCB63F11EA7F5776A7122B8", "ConardLKL/ChangSha doc/华大智宝/t1_initAndActive.txt"},
	{"78BBDFD3CECA48FD7BD5F6AE69882C60", "ConardLKL/ChangSha doc/华大智宝/t1_initAndActive.txt"},
	{"AE4E2A2D035E159D57E02E5483DC3F68", "ConardLKL/ChangSha test/changsha.jcsh + doc/keys.txt"},
	{"687F19B93825C00731A66205A9660CC4", "ConardLKL/ChangSha test/changsha.jcsh + doc/keys.txt"},
	{"D03A01624D2E0255E5CE47218BA45DC8", "ConardLKL/ChangSha doc/华大智宝/t1_initAndActive.txt"},
	{"6CA1901BE8F968A23A6BD5F62A20BDC8", "ConardLKL/ChangSha doc/华大智宝/t1_initAndActive.txt"},
	{"F54C39CABBB8B3C46661640123322920", "ConardLKL/ChangSha doc/华大智宝/t1_initAndActive.txt"},
	{"8D866109C6C9C26216FF859B0C1E20B2", "ConardLKL/ChangSha doc/华大智宝/t1_initAndActive.txt"},
	{"31323334353637383132333435363738", "ConardLKL/ChangSha test/changsha.jcsh + doc/keys.txt"},
	{"58B860693E4F13DD11EE471349E2F1DC", "ConardLKL/ChangSha test/changsha.jcsh + doc/keys.txt"},
	{"EBEC8FCAFF6F91ACD3938011A1536854", "ConardLKL/ChangSha test/changsha.jcsh + doc/keys.txt"},
	{"8F9370265BE85FB3FB5A31AF8C9F0B5D", "ConardLKL/ChangSha test/changsha.jcsh + doc/keys.txt"},
	{"20C30BCEB1B078DCB8259D4C71692D72", "ConardLKL/ChangSha test/changsha.jcsh + doc/keys.txt"},
	{"37C17EFA48C5C513489E5EB6C7AF939A", "ConardLKL/ChangSha test/changsha.jcsh + doc/keys.txt"},
	{"B52A9EFBE06CC2CA4ED531205BDF5AC9", "ConardLKL/ChangSha test/changsha.jcsh + doc/keys.txt"},
	{"44444444444444444444444444444444", "klks/fmcos-python FMCOS2.0用户手册 UPDATE BINARY example 3"},
}

func TestPublished(t *testing.T) {
	for _, k := range publishedKeys {
		for _, digits := range []string{k.digits, flip(t, k.digits)} {
			s := secret(t, digits)
			if !s.Published() {
				t.Errorf("%s of %s is not known", digits, k.source)
			}
		}
	}
	for _, digits := range []string{partA, partB, partC, zeros, "11223344556677888877665544332213"} {
		s := secret(t, digits)
		if s.Published() {
			t.Errorf("%s is said to be published", digits)
		}
	}
}
