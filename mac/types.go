package mac

import (
	"encoding/binary"
	"fmt"
	"maps"
	"slices"
)

// A Factor is a diversification factor 分散因子 as one level uses it.
type Factor [8]byte

// A KeyID says which issuer's key an Op uses, in the terms of the card: the
// key set of its scheme, and the key version and algorithm identifier that its
// INITIALIZE answer reports. The usage follows from the Op.
type KeyID struct{ Set, Version, Algorithm byte }

// String gives set/version/algorithm, as in "01/01/00".
func (k KeyID) String() string {
	return fmt.Sprintf("%02X/%02X/%02X", k.Set, k.Version, k.Algorithm)
}

// Fen is an amount of money. See [PBOC] 1: 00001000 is 4096 fen.
type Fen uint32

// OnlineCount is an online transaction counter 联机交易序号.
type OnlineCount uint16

// OfflineCount is an offline transaction counter 脱机交易序号. It is not
// interchangeable with an OnlineCount.
type OfflineCount uint16

// A MAC is the leftmost half of a MAC: MAC1, MAC2 or MAC3.
type MAC [4]byte

// A TransactionMAC is a TAC 交易验证码. It is not interchangeable with a MAC.
type TransactionMAC [4]byte

// A TerminalID is a terminal number 终端机编号.
type TerminalID [6]byte

// A BCDDate is YYYYMMDD in BCD.
type BCDDate [4]byte

// A BCDTime is HHMMSS in BCD.
type BCDTime [3]byte

// A TransactionType is a transaction type identifier 交易类型标识 (TTI). See
// [PBOC] 4.
type TransactionType uint8

// Transaction types; ED is the deposit 存折, EP the purse 钱包.
const (
	TypeLoadED     TransactionType = 0x01 // 存折圈存
	TypeLoadEP     TransactionType = 0x02 // 钱包圈存
	TypeUnload     TransactionType = 0x03 // 圈提
	TypeWithdraw   TransactionType = 0x04 // 取现
	TypePurchaseED TransactionType = 0x05 // 存折消费
	TypePurchaseEP TransactionType = 0x06 // 钱包消费
	TypeOverdraft  TransactionType = 0x07 // 修改透支限额
	TypeCompound   TransactionType = 0x09 // 复合消费
	TypeLockED     TransactionType = 0x91 // 灰锁
	TypeLockEP     TransactionType = 0x92
	TypeDebitED    TransactionType = 0x93 // 解扣
	TypeDebitEP    TransactionType = 0x94
	TypeUnlockED   TransactionType = 0x95 // 联机解扣
	TypeUnlockEP   TransactionType = 0x96
)

var typeNames = map[TransactionType]string{
	TypeLoadED: "ED load 存折圈存", TypeLoadEP: "EP load 钱包圈存", TypeUnload: "unload 圈提", TypeWithdraw: "cash withdraw 取现",
	TypePurchaseED: "ED purchase 存折消费", TypePurchaseEP: "EP purchase 钱包消费", TypeOverdraft: "overdraft limit update 修改透支限额",
	typeCredit: "credit purchase 信用消费", TypeCompound: "compound purchase 复合消费", TypeLockED: "ED grey lock 灰锁", TypeLockEP: "EP grey lock 灰锁",
	TypeDebitED: "ED debit for unlock 解扣", TypeDebitEP: "EP debit for unlock 解扣", TypeUnlockED: "ED online unlock 联机解扣", TypeUnlockEP: "EP online unlock 联机解扣",
}

// typeCredit is a name and nothing more: no source has a formula for it.
const typeCredit TransactionType = 0x08

// TransactionTypes lists every type that has a name, by rising value.
func TransactionTypes() []TransactionType { return slices.Sorted(maps.Keys(typeNames)) }

// Name says what t is, for people; of a type that has no name it is empty.
func (t TransactionType) Name() string { return typeNames[t] }

// A Limit is an overdraft limit 透支限额: fen in 3 bytes.
type Limit [3]byte

// valid tells whether d is a date of the Gregorian calendar. What is BCD can be
// compared as it is.
func (d BCDDate) valid() bool {
	if !decimal(binary.BigEndian.Uint32(d[:])) || d[0]|d[1] == 0 {
		return false
	}
	month, day := d[2], d[3]
	if int(month) >= len(lastDay) || day == 0 {
		return false
	}
	return day <= lastDay[month] || month == 0x02 && day == 0x29 && d.leap()
}

// lastDay is the last day of each month of a common year, both in BCD.
var lastDay = [0x13]byte{
	0x01: 0x31, 0x02: 0x28, 0x03: 0x31, 0x04: 0x30, 0x05: 0x31, 0x06: 0x30,
	0x07: 0x31, 0x08: 0x31, 0x09: 0x30, 0x10: 0x31, 0x11: 0x30, 0x12: 0x31,
}

func (d BCDDate) leap() bool {
	century, year := int(d[0]>>4)*10+int(d[0]&0x0F), int(d[1]>>4)*10+int(d[1]&0x0F)
	if year == 0 {
		return century%4 == 0
	}
	return year%4 == 0
}

// valid tells whether t is a time of day; there is no second 60.
func (t BCDTime) valid() bool {
	return decimal(uint32(t[0])<<16|uint32(t[1])<<8|uint32(t[2])) && t[0] < 0x24 && t[1] < 0x60 && t[2] < 0x60
}

// decimal tells whether no half byte of x is above 9: those are 101x and 11xx.
func decimal(x uint32) bool { return x>>3&(x>>2|x>>1)&0x11111111 == 0 }
