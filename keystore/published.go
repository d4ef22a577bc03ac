package keystore

import (
	"crypto/sha256"
	_ "embed" // for the fingerprints of the vectors' keys
	"encoding/hex"
	"slices"
	"strings"
)

// Published tells whether s is a key that somebody printed: in an article, a
// manual, a test script. Such a key protects nothing.
func (s *Secret) Published() bool {
	masked := *s
	defer clear(masked[:])
	for i := range masked {
		masked[i] &= notParity
	}
	sum := sha256.Sum256(masked[:])
	fingerprint := hex.EncodeToString(sum[:])
	return slices.Contains(published, fingerprint) || strings.Contains(publishedVectors, fingerprint)
}

// published holds the SHA-256 of each published 16-byte key, taken with the
// lowest bit of every byte cleared so that a change of parity hides nothing.
// The keys stand in vectors and in the sources named.
var published = []string{
	// GB/T 32907 example 1
	"eac80bb1928894a5d2819b5bbb5c83e25a7160178845289e9533fcc2c59d34af", // key
	// https://jishuzhan.net/article/1831616334182486018
	"e20a92168ba001fe296c7fe8c6d4daf784393d0f41d0bb3ddbd93db4a83953da", // key
	// klks/fmcos-python E-Wallet CPU Card and PSAM Card Consumption Key Loading Analysis
	"cfb5992f33a1b8a263992e0db75f5c291cfb31325d60f7f8ebce1effcceb41a3", // master key
	"d5cbab5de44f4dcf367d301b382f8ce5ecf1d68f46f05f6a8503964fdb634f92", // derived key
	// unit test of the Go package "xgm"
	"08598013b910ab0c74d0e44a06f0fe38b5189761c859e3b530b1d8d3e648a730", // master key
	"e4f74f1892a49dcfe7bebb9c8bf309c5fe802f67b7ffc3a3c46dce97a837cd05", // derived key
	// ConardLKL/ChangSha doc/华大智宝/t2_load.txt
	"9b343beaea5682e5a68ce8625384bbc131d2f40ab62410dd22e406190324e111", // DTK
	"9f52ddfe8a6fc93b905f0ba1d48921f743c8dbc8c1e439677ff366751b706b4a", // DLK
	// https://blog.csdn.net/slj_win/article/details/42240855
	"049685a5f87f1025d882c0ffb505ad7cca17a70de30f0b53e075992462635513", // DLK
	// klks/fmcos-python Set up a simple test PBOC payment environment on FMCOS CPU
	"3baca4c3caeea9875fb2764eb6fa1fa97d306cb6512a010300b14b2e6fad75b6", // DLK
	"8beec0a9082aaf30b4dd327d72fa6e70ebf923adb4192c7ddb220b34870dbeab", // DTK
	// ConardLKL/ChangSha doc/华大智宝/t7_purchase.py
	"4785dd07029a33c34e7b43ce3710ea6504d07bc7863fb45c9c4f1022dd9b8e85", // DPK
	// ConardLKL/ChangSha test/changsha.jcsh
	"40ec984937d8e516f6c89b661b629ae45d49cf45a0d5fc3ffa6e6ae1e5a1b803", // key
	// ConardLKL/ChangSha doc/华大智宝/t5_appBlock.txt
	"6cda3bdf023ff98039f733e43f423a87425d4c95c661fd82cef4d23bd8637d94", // key
	// ConardLKL/ChangSha test/appunblock.jcsh + doc/keys.txt
	"1f090810c50fc756a51763df7ce60a316a8f2f38d760fbde03ee49e73ea6a4ee", // key
	// ConardLKL/ChangSha doc/华大智宝/t1_initAndActive.txt
	"9d6f4efdf0ac38d63e950e011e4686361f46306bb291384ca9df81dbf2e5c030", // key
	"6dd56169f639a13921a54d88c23c3ddb28156d9063ed82089eb0ee6d22a975a5", // key
	"3e9c0119cbbca3dd443dbf33f7683b7595b48f57644f33f7f0b5dc63ceb1f3bf", // cardControl (卡片主控)
	"5893cf6c4398fa5ea9ea1bec495200fea371309ae05ed92033a1292b2bf0c2c0", // KEK
	"83ffd027353ad0b4046616233c5ca81d2bad50573ce7bd319a8319630e997413", // appManage (应用维护)
	"fc6d4557bfe10d6c39e25c07ad279cd9d7f4dc8898dcd52d3df71adec90a7aca", // DPUK pin unblock
	// ConardLKL/ChangSha test/changsha.jcsh + doc/keys.txt
	"ce414e8650e1a4aafc839262113fbfea4f69afc43b59e17161b66d33effb1a9d", // key
	"b924f7f9305ad378947b1871e615fbef9f837f18fa629b3f3a3a6e4af10b6f8b", // key
	"0a610a1c49d04025bf375c4686614c81720827257706976b11d8dd28061930ba", // KEK
	"b20590f1cf0eae37bba285fe5120b70b6ec64f4511ad1113548ed63a06ed893f", // cardManage
	"cc3db24847e88678d1bf2670fa22ba514b7c07528c3ebbdbd4b9a68e7a665257", // KEK
	"8739a6c5024938cd82d71abcb2983ae52e06b2a9913d97face62c56d86bc01e3", // appManage
	"17e1f47ad07f6ff6f74da8695a6409051e03f479dc2e438f4267c675a35ceaff", // DPUK
	"2c62fde39fbb4e2403d28ac37cca3c0066846e60021c80b3b4153d0f00724623", // capp maintenance
	"2671a105dde0ad460c00f9aa242af39be28ba362fee6a0457e33c77d5be1f8d6", // DTK
	// klks/fmcos-python FMCOS2.0用户手册 UPDATE BINARY example 3
	"f8bcf0e76b1bc00e75a0e102d045582b515c34220f30a03da5ad9dcbfec5a2ba", // key
}

// publishedVectors is to the keys of the generated vectors what published is
// to those of others; vectors/gen writes it.
//
//go:embed published_vectors.txt
var publishedVectors string
