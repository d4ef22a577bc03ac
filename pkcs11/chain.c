//go:build cgo && !nopkcs11 && !windows

/* The whole chain of one operation in one call: derivations, the last key, and
 * the MACs. The token does all arithmetic; this file decides nothing but the
 * order of calls, and keeps no state. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <string.h>
#ifdef __linux__
#include <malloc.h>
#endif

#include "chain.h"

/* library_open gives the functions of a module that is loaded already, or loads
 * it: the same file is the same instance. It returns NULL, or what went wrong.
 * The module stays loaded for good, so that no pointer into it goes stale. */
const char *library_open(const char *path, CK_FUNCTION_LIST **list)
{
	void *lib = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	if (lib == NULL)
		return dlerror();
	CK_RV (*get)(CK_FUNCTION_LIST **) = (CK_RV(*)(CK_FUNCTION_LIST **))dlsym(lib, "C_GetFunctionList");
	if (get == NULL)
		return "it has no C_GetFunctionList";
	return get(list) == CKR_OK && *list != NULL ? NULL : "C_GetFunctionList failed";
}

/* library_spare keeps the C heap small: as many arenas as threads compute at a
 * time, not one for each thread that ever made a call. */
void library_spare(int threads)
{
#ifdef __GLIBC__
	mallopt(M_ARENA_MAX, threads);
#else
	(void)threads;
#endif
}

/* library_trim gives back what a finalized module has freed. */
void library_trim(void)
{
#ifdef __GLIBC__
	malloc_trim(0);
#endif
}

/* A run of one chain. */
struct run {
	const CK_FUNCTION_LIST *f;
	const struct recipe *r;
	CK_SESSION_HANDLE s;
	struct chain *c;
};

static CK_BBOOL yes = 1, no = 0;
static CK_ULONG secretKey = CKO_SECRET_KEY, genericSecret = CKK_GENERIC_SECRET;

/* failed notes the call that failed, and tells whether one did. */
static int failed(struct run *x, enum step step, CK_RV rv)
{
	if (rv == CKR_OK)
		return 0;
	x->c->rv = rv;
	x->c->step = step;
	return 1;
}

static void destroy(struct run *x, CK_OBJECT_HANDLE key)
{
	if (key != 0 && x->f->C_DestroyObject(x->s, key) != CKR_OK)
		x->c->residue = 1;
}

/* What a derived key is for. */
enum use { USE_DERIVE, USE_MAC, USE_WRAP, USE_READ };

/* describe fills in the template of a secret key; every attribute is stated,
 * since defaults differ and nothing is inherited. */
static CK_ULONG describe(struct run *x, CK_ATTRIBUTE t[10], CK_ULONG *type, enum use use, CK_BBOOL *private_, CK_ULONG *length)
{
	CK_BBOOL *read = use == USE_READ ? &yes : &no, *extract = use == USE_WRAP ? &yes : read;
	CK_ATTRIBUTE all[] = {
		{CKA_CLASS, &secretKey, sizeof secretKey},
		{CKA_KEY_TYPE, type, sizeof *type},
		{CKA_TOKEN, &no, 1},
		{CKA_PRIVATE, private_, 1},
		{CKA_SENSITIVE, use == USE_READ ? &no : &yes, 1},
		{CKA_EXTRACTABLE, extract, 1},
		{CKA_DERIVE, use == USE_DERIVE || use == USE_WRAP ? &yes : &no, 1},
		{CKA_ENCRYPT, use == USE_MAC ? &yes : &no, 1},
		{CKA_VALUE_LEN, length, sizeof *length},
	};
	memcpy(t, all, sizeof all);
	int stated = use == USE_READ || x->r->sendLength;
	return sizeof all / sizeof all[0] - (stated ? 0 : 1);
}

/* derive makes a key of n bytes: data encrypted under base by a mechanism. */
static CK_OBJECT_HANDLE derive(struct run *x, CK_ULONG mechanism, CK_OBJECT_HANDLE base, CK_BYTE *data, CK_ULONG n, CK_ULONG *type, enum use use, CK_BBOOL *private_)
{
	CK_KEY_DERIVATION_STRING_DATA string = {data, n};
	CK_BYTE flat[MAX_BLOCK + 24] = {0}; /* a zero initial vector, then the data */
	CK_MECHANISM m = {mechanism, &string, sizeof string};
	CK_ATTRIBUTE t[10];
	CK_OBJECT_HANDLE key = 0;

	if (x->r->inlineData) {
		memcpy(flat + x->r->block, data, n);
		m.pParameter = flat;
		m.ulParameterLen = x->r->block + n;
	}
	CK_ULONG count = describe(x, t, type, use, private_, &n);
	if (failed(x, STEP_DERIVE, x->f->C_DeriveKey(x->s, &m, base, t, count, &key)))
		return 0;
	x->c->derived++;
	return key;
}

/* factor writes a factor and its complement. */
static void factor(CK_BYTE out[16], const CK_BYTE in[8])
{
	for (int i = 0; i < 8; i++) {
		out[i] = in[i];
		out[8 + i] = (CK_BYTE)~in[i];
	}
}

/* twice writes 8 bytes twice. */
static void twice(CK_BYTE out[16], const CK_BYTE in[8])
{
	memcpy(out, in, 8);
	memcpy(out + 8, in, 8);
}

/* card derives the key of the next level. */
static CK_OBJECT_HANDLE card(struct run *x, CK_OBJECT_HANDLE base, const CK_BYTE f[8], enum use use)
{
	CK_BYTE data[16];
	CK_ULONG type = x->r->keyType;
	factor(data, f);
	return derive(x, x->r->derive, base, data, sizeof data, &type, use, x->r->private_ ? &yes : &no);
}

/* session derives a key of the transaction: from the card's key its own, and
 * from that the one of a grey lock. */
static CK_OBJECT_HANDLE session(struct run *x, CK_ULONG mechanism, CK_OBJECT_HANDLE base, const CK_BYTE in[8], enum use use)
{
	CK_BYTE data[24];
	CK_ULONG n = 8 * x->r->sessionCopies, type = x->r->sessionType;
	factor(data, in);
	for (CK_ULONG i = 0; i < n; i += 8)
		memcpy(data + i, in, 8);
	return derive(x, mechanism, base, data, n ? n : 16, &type, use, &no);
}

/* reads derives n bytes that the host sees. */
static int reads(struct run *x, CK_OBJECT_HANDLE base, CK_BYTE *data, CK_ULONG n, CK_BYTE *value)
{
	CK_ULONG type = genericSecret;
	CK_ATTRIBUTE t = {CKA_VALUE, value, n};
	CK_OBJECT_HANDLE key = derive(x, x->r->derive, base, data, n, &type, USE_READ, &no);
	if (key == 0)
		return 0;
	CK_RV rv = x->f->C_GetAttributeValue(x->s, key, &t, 1);
	destroy(x, key);
	if (rv == CKR_OK && t.ulValueLen != n)
		rv = CKR_FUNCTION_FAILED;
	return !failed(x, STEP_READ, rv);
}

/* left derives both halves of a key as the left half of the card's. */
static CK_OBJECT_HANDLE left(struct run *x, CK_OBJECT_HANDLE base, const CK_BYTE f[8], enum use use)
{
	CK_BYTE data[16];
	CK_ULONG type = x->r->keyType;
	twice(data, f);
	return derive(x, x->r->derive, base, data, sizeof data, &type, use, x->r->private_ ? &yes : &no);
}

/* foldHost reads both halves, folds them, and puts the result back. */
static CK_OBJECT_HANDLE foldHost(struct run *x, CK_OBJECT_HANDLE base, const CK_BYTE f[8])
{
	CK_BYTE data[16], halves[16], folded[16];
	CK_ATTRIBUTE t[10];
	CK_ULONG type = x->r->keyType, n = sizeof folded;
	CK_OBJECT_HANDLE key = 0;

	factor(data, f);
	if (reads(x, base, data, sizeof data, halves)) {
		for (int i = 0; i < 8; i++)
			folded[i] = folded[8 + i] = halves[i] ^ halves[8 + i];
		CK_ULONG count = describe(x, t, &type, USE_MAC, x->r->private_ ? &yes : &no, &n);
		t[count].type = CKA_VALUE;
		t[count].pValue = folded;
		t[count].ulValueLen = n;
		if (failed(x, STEP_CREATE, x->f->C_CreateObject(x->s, t, count + 1, &key)))
			key = 0;
		x->c->derived++;
	}
	explicit_bzero(halves, sizeof halves);
	explicit_bzero(folded, sizeof folded);
	return key;
}

/* foldHalf reads the right half and lets the token add it to the left one. */
static CK_OBJECT_HANDLE foldHalf(struct run *x, CK_OBJECT_HANDLE base, const CK_BYTE f[8])
{
	CK_BYTE data[16], right[16], wrapped[32], zero[16] = {0};
	CK_BBOOL *private_ = x->r->private_ ? &yes : &no;
	CK_ATTRIBUTE t[10];
	CK_ULONG type = x->r->keyType, n = 16, size = sizeof wrapped;
	CK_OBJECT_HANDLE base2 = 0, key = 0;

	factor(data, f);
	if (!reads(x, base, data + 8, 8, right))
		goto end;
	twice(data, right);
	memcpy(right, data, sizeof right);
	CK_ULONG count = describe(x, t, &type, USE_MAC, private_, &n);
	if (x->r->way == WAY_DATA) {
		CK_KEY_DERIVATION_STRING_DATA string = {right, sizeof right};
		CK_MECHANISM m = {CKM_XOR_BASE_AND_DATA, &string, sizeof string};
		base2 = left(x, base, f, USE_DERIVE);
		if (base2 != 0 && failed(x, STEP_DERIVE, x->f->C_DeriveKey(x->s, &m, base2, t, count, &key)))
			key = 0;
	} else {
		CK_MECHANISM wrap = {CKM_AES_CBC, zero, sizeof zero}, unwrap = {CKM_AES_CBC, right, sizeof right};
		base2 = left(x, base, f, USE_WRAP);
		if (base2 != 0 && !failed(x, STEP_WRAP, x->f->C_WrapKey(x->s, &wrap, x->r->kek, base2, wrapped, &size)) &&
		    failed(x, STEP_UNWRAP, x->f->C_UnwrapKey(x->s, &unwrap, x->r->kek, wrapped, size, t, count, &key)))
			key = 0;
	}
	x->c->derived++;
	destroy(x, base2);
end:
	explicit_bzero(data, sizeof data);
	explicit_bzero(right, sizeof right);
	return key;
}

/* foldVendor has the token XOR two keys. */
static CK_OBJECT_HANDLE foldVendor(struct run *x, CK_OBJECT_HANDLE base, const CK_BYTE f[8])
{
	CK_BYTE data[16];
	CK_ATTRIBUTE t[10];
	CK_ULONG type = x->r->keyType, n = 16;
	CK_OBJECT_HANDLE l = left(x, base, f, USE_DERIVE), r = 0, key = 0;

	if (l != 0) {
		factor(data, f);
		r = left(x, base, data + 8, USE_DERIVE);
	}
	if (r != 0) {
		CK_MECHANISM m = {x->r->xorKeys, &r, sizeof r};
		CK_ULONG count = describe(x, t, &type, USE_MAC, x->r->private_ ? &yes : &no, &n);
		if (failed(x, STEP_DERIVE, x->f->C_DeriveKey(x->s, &m, l, t, count, &key)))
			key = 0;
		x->c->derived++;
	}
	destroy(x, l);
	destroy(x, r);
	return key;
}

static CK_OBJECT_HANDLE fold(struct run *x, CK_OBJECT_HANDLE base, const CK_BYTE f[8])
{
	switch (x->r->way) {
	case WAY_HOST:
		return foldHost(x, base, f);
	case WAY_VENDOR:
		return foldVendor(x, base, f);
	default:
		return foldHalf(x, base, f);
	}
}

/* cbc is CBC from an initial vector on, of which the last block counts. */
static int cbc(struct run *x, CK_OBJECT_HANDLE key, CK_ULONG mechanism, CK_BYTE *iv, CK_BYTE *in, CK_ULONG n, CK_BYTE *last)
{
	CK_BYTE out[MAX_MESSAGE + MAX_BLOCK];
	CK_ULONG size = sizeof out;
	CK_MECHANISM m = {mechanism, iv, x->r->block};

	if (failed(x, STEP_ENCRYPT_INIT, x->f->C_EncryptInit(x->s, &m, key)))
		return 0;
	CK_RV rv = x->f->C_Encrypt(x->s, in, n, out, &size);
	if (rv == CKR_OK && size != n)
		rv = CKR_FUNCTION_FAILED;
	if (failed(x, STEP_ENCRYPT, rv))
		return 0;
	memcpy(last, out + n - x->r->block, x->r->block);
	explicit_bzero(out, n);
	return 1;
}

/* macs makes the MAC of each message that there is. */
static void macs(struct run *x, CK_OBJECT_HANDLE key, CK_ULONG mechanism)
{
	CK_BYTE zero[MAX_BLOCK] = {0};
	for (int i = 0, good = key != 0; good && i < 2; i++)
		if (x->c->length[i] != 0)
			good = cbc(x, key, mechanism, zero, x->c->message[i], x->c->length[i], x->c->mac[i]);
}

/* diversify goes down the levels and gives the last key of them, or 0. What is
 * not the chain's own key is destroyed on the way. */
static CK_OBJECT_HANDLE diversify(struct run *x, int levels, enum use last)
{
	CK_OBJECT_HANDLE key = x->c->key;
	for (int i = 0; i < levels && key != 0; i++) {
		CK_OBJECT_HANDLE next = card(x, key, x->c->factors[i], i == levels - 1 ? last : USE_DERIVE);
		if (key != x->c->key)
			destroy(x, key);
		key = next;
	}
	return key;
}

/* release destroys a key that the chain made, unless it is to be kept. */
static void release(struct run *x, CK_OBJECT_HANDLE key)
{
	if (key == 0 || key == x->c->key)
		return;
	if (x->c->keep && x->c->rv == CKR_OK)
		x->c->kept = key;
	else
		destroy(x, key);
}

/* encipher replaces blocks by what the key makes of them. It derives, since the
 * card's key may do nothing else, and reads. */
static int encipher(struct run *x, CK_OBJECT_HANDLE key, CK_BYTE *blocks, CK_ULONG n)
{
	CK_BYTE out[16];
	for (CK_ULONG i = 0, part; i < n; i += part) {
		part = n - i < sizeof out ? n - i : sizeof out;
		if (!reads(x, key, blocks + i, part, out))
			return 0;
		memcpy(blocks + i, out, part);
	}
	return 1;
}

/* retail makes the retail MAC of message 0: up to the last block, 3DES is single
 * DES with the left half of the card's key, which parent derives alone. A cipher
 * of longer blocks has one key for all of them. */
static void retail(struct run *x, CK_OBJECT_HANDLE parent, CK_OBJECT_HANDLE key)
{
	struct chain *c = x->c;
	CK_ULONG n = x->r->block, last = c->length[0] - n, i = 0;
	CK_BYTE block[MAX_BLOCK];
	int good = 1;

	memcpy(block, c->iv, n);
	if (n == 8 && last > 0) {
		CK_OBJECT_HANDLE half = left(x, parent, c->factors[c->levels - 1], USE_MAC);
		good = half != 0 && cbc(x, half, x->r->cbc, c->iv, c->message[0], last, block);
		destroy(x, half);
		i = last;
	}
	for (; good && i <= last; i += n) {
		for (CK_ULONG j = 0; j < n; j++)
			block[j] ^= c->message[0][i + j];
		good = encipher(x, key, block, n);
	}
	memcpy(c->mac[0], block, n);
	explicit_bzero(block, sizeof block);
}

/* script computes what an issuer script asks of the card's key. */
static void script(struct run *x)
{
	struct chain *c = x->c;
	CK_OBJECT_HANDLE parent = 0, key = c->key;

	if (c->levels > 0) {
		parent = diversify(x, c->levels - 1, USE_DERIVE);
		key = parent != 0 ? card(x, parent, c->factors[c->levels - 1], USE_DERIVE) : 0;
	}
	if (key != 0 && c->mode == MODE_RETAIL)
		retail(x, parent, key);
	else if (key != 0)
		encipher(x, key, c->message[0], c->length[0]);
	release(x, key);
	release(x, parent);
}

/* transaction makes the MACs of a transaction. */
static void transaction(struct run *x)
{
	struct chain *c = x->c;
	const struct recipe *r = x->r;
	CK_OBJECT_HANDLE key, last, base = 0;

	switch (c->final) {
	case FINAL_SESSION:
		key = diversify(x, c->levels, USE_DERIVE);
		last = key != 0 ? session(x, r->derive, key, c->data, USE_MAC) : 0;
		macs(x, last, r->sessionCBC);
		destroy(x, last);
		break;
	case FINAL_LOCK:
		key = diversify(x, c->levels, USE_DERIVE);
		base = key != 0 ? session(x, r->derive, key, c->data, USE_DERIVE) : 0;
		last = base != 0 ? session(x, r->sessionDerive, base, c->lock, USE_MAC) : 0;
		macs(x, last, r->sessionCBC);
		destroy(x, last);
		destroy(x, base);
		break;
	case FINAL_FOLD:
		last = diversify(x, c->levels - 1, USE_DERIVE);
		key = last != 0 ? fold(x, last, c->factors[c->levels - 1]) : 0;
		macs(x, key, r->cbc);
		if (last != c->key)
			destroy(x, last);
		break;
	default: /* FINAL_CARD, FINAL_READY */
		key = diversify(x, c->levels, USE_MAC);
		macs(x, key, r->cbc);
		break;
	}
	release(x, key);
}

/* chain_run runs one chain. MACs count only if rv is CKR_OK. */
void chain_run(const CK_FUNCTION_LIST *f, const struct recipe *r, CK_SESSION_HANDLE s, struct chain *c)
{
	struct run x = {f, r, s, c};

	c->kept = 0;
	c->rv = CKR_OK;
	c->step = STEP_NONE;
	c->residue = c->derived = 0;
	destroy(&x, c->discard);
	if (c->mode == MODE_TRANSACTION)
		transaction(&x);
	else
		script(&x);
	if (c->rv != CKR_OK)
		memset(c->mac, 0, sizeof c->mac);
}
