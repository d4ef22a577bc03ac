package contract

import (
	"fmt"
	"net/http"
	"strings"

	"pbochsm/cmd/onecard/internal/recharge"
)

// A Code is a result of a request in its canonical form of four digits.
type Code = recharge.Code

// A Retry says what a caller may do about a refusal.
type Retry uint8

// What may be done.
const (
	No   Retry = iota // correct the request, or give up
	Same              // send the same bytes again
	New               // begin again, with a new INITIALIZE FOR LOAD
)

// String is the word that the documents use.
func (r Retry) String() string { return [...]string{"no", "same", "new"}[r] }

// A Result is what a Code stands for. See [API] 7.
type Result struct {
	Code    Code
	Status  int // HTTP
	Chinese string
	English string
	Retry   Retry
}

var results = []Result{
	{0, http.StatusOK, "成功", "success", No},
	{1001, http.StatusOK, "报文格式错误", "body is not one flat JSON object of known, single string fields", No},
	{1002, http.StatusOK, "缺少必填字段", "a required field is missing or empty", No},
	{1003, http.StatusOK, "字段取值非法", "a field's value is not valid", No},
	{1004, http.StatusOK, "主机时间超出允许范围", "host date or time outside the allowed window", New},
	{1005, http.StatusOK, "交易类型未开通", "this transaction type is not enabled", No},
	{1006, http.StatusNotFound, "请求方式错误", "path, method, size or content type not accepted", No},
	{2001, http.StatusOK, "令牌校验失败", "token verification failed", No},
	{2002, http.StatusOK, "无权使用该接口", "this endpoint is not permitted", No},
	{2003, http.StatusOK, "无权操作该商户或网点", "this merchant, department or terminal is not permitted", No},
	{2004, http.StatusTooManyRequests, "请求过于频繁", "too many requests", Same},
	{3001, http.StatusOK, "无待处理订单", "no order for this card", No},
	{3002, http.StatusOK, "订单不存在", "order not found", No},
	{3003, http.StatusOK, "流水号重复且内容不一致", "serial already used with other content", No},
	{3004, http.StatusOK, "交易处理中", "the same transaction is in progress", Same},
	{3005, http.StatusOK, "订单已结束", "order is closed", No},
	{3006, http.StatusOK, "金额与订单不符", "amount differs from the order", No},
	{3007, http.StatusOK, "卡片有未完成的充值", "finish the open load of this card first", No},
	{3008, http.StatusOK, "补写卡条件不符", "rewrite not allowed: transaction data differ", New},
	{3009, http.StatusOK, "补写卡余额不符", "rewrite not allowed: card balance changed", No},
	{3010, http.StatusOK, "卡片交易序号异常", "card counter went back", No},
	{4001, http.StatusOK, "卡片认证失败", "card authentication failed", New},
	{4002, http.StatusOK, "卡片不可用", "card not acceptable", No},
	{4003, http.StatusOK, "超过金额限制", "amount or balance limit exceeded", No},
	{4004, http.StatusOK, "卡片认证失败次数过多", "too many failures, try another day", No},
	{4005, http.StatusOK, "交易凭证校验失败", "TAC or MAC3 verification failed", No},
	{5001, http.StatusOK, "商户账户不可用", "merchant account not available", No},
	{5002, http.StatusOK, "商户账户余额不足", "insufficient prepaid balance", No},
	{5003, http.StatusOK, "充值卡不可用", "recharge card refused", No},
	{5004, http.StatusOK, "企服卡验证失败", "corporate card or password refused", No},
	{5005, http.StatusOK, "企服卡可充金额不足", "corporate amount insufficient", No},
	{5006, http.StatusOK, "新密码不符合要求", "new password not acceptable", No},
	{9001, http.StatusServiceUnavailable, "系统繁忙", "system busy", Same},
	{9002, http.StatusServiceUnavailable, "加密机不可用", "security module unavailable", Same},
	{9003, http.StatusOK, "交易结果未知", "outcome not known yet, ask again with the same request", Same},
	{9004, http.StatusServiceUnavailable, "数据库不可用", "storage unavailable, nothing was booked", Same},
	{9005, http.StatusInternalServerError, "系统错误", "internal error", Same},
	{9006, http.StatusServiceUnavailable, "系统时钟异常", "server clock not trusted", Same},
}

// Results gives every code there is, in ascending order.
func Results() []Result { return append([]Result(nil), results...) }

// Find is what code stands for. An unknown code is an internal error: nothing
// else may be said about it.
func Find(code Code) Result {
	for _, r := range results {
		if r.Code == code {
			return r
		}
	}
	return Find(recharge.Internal)
}

// A Language is that of ErrorMsg.
type Language uint8

// The languages.
const (
	Chinese Language = iota
	English
)

// Message is the text of the result, with the name of the field that it is
// about, if any.
func (r Result) Message(l Language, field string) string {
	text, colon := r.Chinese, "："
	if l == English {
		text, colon = r.English, ": "
	}
	if field == "" {
		return text
	}
	return text + colon + field
}

// A Profile is how codes are printed. The number behind it is the same, and
// success is all zeros in every one. The zero Profile is "four".
type Profile struct {
	kind  profileKind
	width int
}

type profileKind uint8

const (
	four profileKind = iota
	two
	padded
)

// NewProfile gives the profile of that name: "four", "two" for the first and
// last digit, "padded" for zeros on the left up to width, 6 to 12.
func NewProfile(name string, width int) (Profile, error) {
	switch {
	case name == "padded" && (width < 6 || width > 12):
		return Profile{}, fmt.Errorf("contract: width %d of code profile padded is not within 6 to 12", width)
	case name == "padded":
		return Profile{padded, width}, nil
	case name == "two":
		return Profile{two, 2}, nil
	case name == "four" || name == "":
		return Profile{}, nil
	}
	return Profile{}, fmt.Errorf("contract: code profile %q is none of four, two, padded", name)
}

// Print writes a code.
func (p Profile) Print(c Code) string {
	digits := fmt.Sprintf("%04d", uint16(c))
	switch p.kind {
	case two:
		return digits[:1] + digits[3:]
	case padded:
		return strings.Repeat("0", p.width-len(digits)) + digits
	}
	return digits
}
