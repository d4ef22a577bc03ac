/* A PKCS#11 module that stands before another one, FAULT_MODULE, and does to
 * its calls what the rules in the file FAULT_CONTROL say. The tests map the file
 * and change it while the module runs: struct control, see fault_test.go.
 *
 * It can also play a make of token that is not at hand: with a vendor's mechanism
 * that XORs two keys, with derivations of an inline parameter, or without
 * XOR_BASE_AND_DATA. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "../cryptoki.h"

enum function {
	ANY, INITIALIZE, FINALIZE, GET_SLOT_LIST, GET_TOKEN_INFO, OPEN_SESSION, CLOSE_SESSION, GET_SESSION_INFO, LOGIN,
	CREATE_OBJECT, COPY_OBJECT, DESTROY_OBJECT, GET_ATTRIBUTE_VALUE, FIND_INIT, FIND, FIND_FINAL,
	ENCRYPT_INIT, ENCRYPT, GENERATE_KEY, DERIVE_KEY, FUNCTIONS
};

enum action { REFUSE = 1, DO_AND_REFUSE, HANG, RENUMBER };

struct rule {
	uint32_t armed;    /* set last */
	uint32_t function;
	uint32_t after;    /* calls to let pass */
	uint32_t times;    /* calls to spoil */
	uint32_t action;
	uint32_t code;     /* what is answered */
	uint32_t millis;   /* of a hang, if nobody disarms it */
	uint32_t fired;
};

struct control {
	struct rule rules[4];
	uint32_t vendor, inlineData, noXOR;
	uint32_t unused;
	uint64_t logins, lastLogin, leastGap; /* ns */
	uint64_t calls[FUNCTIONS];
};

static CK_FUNCTION_LIST *real, list;
static struct control *control;
static CK_ULONG mask; /* what distinguishes our numbers of objects from the real ones */
static CK_SLOT_ID lastSlot;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static _Thread_local CK_RV late;

static uint64_t now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* load reads a word that the test may write at the same time. */
static uint32_t load(uint32_t *p) { return __atomic_load_n(p, __ATOMIC_SEQ_CST); }

static void hang(struct rule *r)
{
	uint64_t end = now() + (uint64_t)r->millis * 1000000u;
	while (now() < end && load(&r->armed))
		usleep(1000);
}

/* hit takes a rule's turn: 1 if it applies to this call. */
static int hit(struct rule *r, enum function fn)
{
	int applies = 0;
	pthread_mutex_lock(&lock);
	if (load(&r->armed) && (r->function == ANY || r->function == fn)) {
		if (r->after > 0) {
			r->after--;
		} else if (r->times > 0) {
			r->times--;
			applies = 1;
			__atomic_add_fetch(&r->fired, 1, __ATOMIC_SEQ_CST);
		}
	}
	pthread_mutex_unlock(&lock);
	return applies;
}

/* before tells whether a call is spoilt: then *rv is the answer. */
static int before(enum function fn, CK_RV *rv)
{
	__atomic_add_fetch(&control->calls[fn], 1, __ATOMIC_SEQ_CST);
	late = CKR_OK;
	for (int i = 0; i < 4; i++) {
		struct rule *r = &control->rules[i];
		if (!hit(r, fn))
			continue;
		switch (r->action) {
		case REFUSE:
			*rv = r->code;
			return 1;
		case DO_AND_REFUSE:
			late = r->code;
			return 0;
		case HANG:
			hang(r);
			return 0;
		case RENUMBER: /* the token has restarted: no session lives, every number means another object */
			real->C_CloseAllSessions(lastSlot);
			mask = (mask + 1) & 3;
			return 0;
		}
	}
	return 0;
}

static CK_RV after(CK_RV rv) { return late != CKR_OK ? late : rv; }

#define CALL(fn, call)                 \
	do {                           \
		CK_RV rv;              \
		if (before(fn, &rv))   \
			return rv;     \
		rv = call;             \
		return after(rv);      \
	} while (0)

static CK_RV initialize(void *args) { CALL(INITIALIZE, real->C_Initialize(args)); }
static CK_RV finalize(void *reserved) { CALL(FINALIZE, real->C_Finalize(reserved)); }
static CK_RV getSlotList(CK_BBOOL p, CK_SLOT_ID *l, CK_ULONG *n) { CALL(GET_SLOT_LIST, real->C_GetSlotList(p, l, n)); }
static CK_RV getTokenInfo(CK_SLOT_ID slot, void *info) { CALL(GET_TOKEN_INFO, real->C_GetTokenInfo(slot, info)); }
static CK_RV closeSession(CK_SESSION_HANDLE s) { CALL(CLOSE_SESSION, real->C_CloseSession(s)); }
static CK_RV getSessionInfo(CK_SESSION_HANDLE s, CK_SESSION_INFO *i) { CALL(GET_SESSION_INFO, real->C_GetSessionInfo(s, i)); }
static CK_RV findInit(CK_SESSION_HANDLE s, CK_ATTRIBUTE *t, CK_ULONG n) { CALL(FIND_INIT, real->C_FindObjectsInit(s, t, n)); }
static CK_RV findFinal(CK_SESSION_HANDLE s) { CALL(FIND_FINAL, real->C_FindObjectsFinal(s)); }
static CK_RV encrypt(CK_SESSION_HANDLE s, CK_BYTE *in, CK_ULONG n, CK_BYTE *out, CK_ULONG *m) { CALL(ENCRYPT, real->C_Encrypt(s, in, n, out, m)); }

static CK_RV openSession(CK_SLOT_ID slot, CK_FLAGS f, void *a, void *n, CK_SESSION_HANDLE *s)
{
	lastSlot = slot;
	CALL(OPEN_SESSION, real->C_OpenSession(slot, f, a, n, s));
}

static CK_RV login(CK_SESSION_HANDLE s, CK_ULONG user, CK_BYTE *pin, CK_ULONG n)
{
	uint64_t at = now();
	if (control->logins++ > 0 && (control->leastGap == 0 || at - control->lastLogin < control->leastGap))
		control->leastGap = at - control->lastLogin;
	control->lastLogin = at;
	CALL(LOGIN, real->C_Login(s, user, pin, n));
}

static CK_OBJECT_HANDLE inside(CK_OBJECT_HANDLE o) { return o == 0 ? 0 : o ^ mask; }

/* outside renumbers an object that was made, if it was. */
static CK_RV outside(CK_RV rv, CK_OBJECT_HANDLE *o)
{
	if (rv == CKR_OK)
		*o ^= mask;
	return rv;
}

static CK_RV createObject(CK_SESSION_HANDLE s, CK_ATTRIBUTE *t, CK_ULONG n, CK_OBJECT_HANDLE *o)
{
	CALL(CREATE_OBJECT, outside(real->C_CreateObject(s, t, n, o), o));
}

static CK_RV copyObject(CK_SESSION_HANDLE s, CK_OBJECT_HANDLE from, CK_ATTRIBUTE *t, CK_ULONG n, CK_OBJECT_HANDLE *o)
{
	CALL(COPY_OBJECT, outside(real->C_CopyObject(s, inside(from), t, n, o), o));
}

static CK_RV destroyObject(CK_SESSION_HANDLE s, CK_OBJECT_HANDLE o) { CALL(DESTROY_OBJECT, real->C_DestroyObject(s, inside(o))); }

static CK_RV getAttributeValue(CK_SESSION_HANDLE s, CK_OBJECT_HANDLE o, CK_ATTRIBUTE *t, CK_ULONG n)
{
	CALL(GET_ATTRIBUTE_VALUE, real->C_GetAttributeValue(s, inside(o), t, n));
}

static CK_RV found(CK_SESSION_HANDLE s, CK_OBJECT_HANDLE *o, CK_ULONG max, CK_ULONG *n)
{
	CK_RV rv = real->C_FindObjects(s, o, max, n);
	for (CK_ULONG i = 0; rv == CKR_OK && i < *n; i++)
		o[i] ^= mask;
	return rv;
}

static CK_RV find(CK_SESSION_HANDLE s, CK_OBJECT_HANDLE *o, CK_ULONG max, CK_ULONG *n)
{
	CALL(FIND, found(s, o, max, n));
}

static CK_RV encryptInit(CK_SESSION_HANDLE s, CK_MECHANISM *m, CK_OBJECT_HANDLE key) { CALL(ENCRYPT_INIT, real->C_EncryptInit(s, m, inside(key))); }

static CK_RV generateKey(CK_SESSION_HANDLE s, CK_MECHANISM *m, CK_ATTRIBUTE *t, CK_ULONG n, CK_OBJECT_HANDLE *o)
{
	CALL(GENERATE_KEY, outside(real->C_GenerateKey(s, m, t, n, o), o));
}

static CK_RV wrapKey(CK_SESSION_HANDLE s, CK_MECHANISM *m, CK_OBJECT_HANDLE kek, CK_OBJECT_HANDLE key, CK_BYTE *out, CK_ULONG *n)
{
	return real->C_WrapKey(s, m, inside(kek), inside(key), out, n);
}

static CK_RV unwrapKey(CK_SESSION_HANDLE s, CK_MECHANISM *m, CK_OBJECT_HANDLE kek, CK_BYTE *in, CK_ULONG n, CK_ATTRIBUTE *t, CK_ULONG nt, CK_OBJECT_HANDLE *o)
{
	return outside(real->C_UnwrapKey(s, m, inside(kek), in, n, t, nt, o), o);
}

static CK_BBOOL yes = 1, no = 0;

/* xorKeys is the vendor's mechanism: base XOR the key that the parameter names. */
static CK_RV xorKeys(CK_SESSION_HANDLE s, CK_MECHANISM *m, CK_OBJECT_HANDLE base, CK_ATTRIBUTE *t, CK_ULONG n, CK_OBJECT_HANDLE *o)
{
	CK_BYTE a[16], b[16];
	CK_ATTRIBUTE va = {CKA_VALUE, a, sizeof a}, vb = {CKA_VALUE, b, sizeof b}, with[16];
	CK_RV rv = real->C_GetAttributeValue(s, base, &va, 1);
	if (rv == CKR_OK)
		rv = real->C_GetAttributeValue(s, inside(*(CK_OBJECT_HANDLE *)m->pParameter), &vb, 1);
	if (rv != CKR_OK || n > 15)
		return rv;
	for (int i = 0; i < 16; i++)
		a[i] ^= b[i];
	memcpy(with, t, n * sizeof *t);
	with[n] = va;
	return real->C_CreateObject(s, with, n + 1, o);
}

/* readable makes keys that xorKeys can read: what a vendor's token does inside. */
static CK_ULONG readable(CK_ATTRIBUTE *with, CK_ATTRIBUTE *t, CK_ULONG n)
{
	memcpy(with, t, n * sizeof *t);
	for (CK_ULONG i = 0; i < n; i++) {
		if (t[i].type == CKA_SENSITIVE)
			with[i].pValue = &no;
		if (t[i].type == CKA_EXTRACTABLE)
			with[i].pValue = &yes;
	}
	return n;
}

static CK_RV derive(CK_SESSION_HANDLE s, CK_MECHANISM *m, CK_OBJECT_HANDLE base, CK_ATTRIBUTE *t, CK_ULONG n, CK_OBJECT_HANDLE *o)
{
	CK_ATTRIBUTE with[16];
	CK_KEY_DERIVATION_STRING_DATA string;
	CK_MECHANISM mech = *m;
	if (control->noXOR && m->mechanism == CKM_XOR_BASE_AND_DATA)
		return 0x70; /* CKR_MECHANISM_INVALID */
	if (control->vendor && m->mechanism == 0x80000364)
		return xorKeys(s, m, base, t, n, o);
	if (control->vendor && n <= 16) {
		readable(with, t, n);
		t = with;
	}
	if (control->inlineData && m->mechanism == CKM_DES3_ECB_ENCRYPT_DATA) {
		string.pData = (CK_BYTE *)m->pParameter + 8;
		string.ulLen = m->ulParameterLen - 8;
		mech.pParameter = &string;
		mech.ulParameterLen = sizeof string;
	}
	return real->C_DeriveKey(s, &mech, base, t, n, o);
}

static CK_RV deriveKey(CK_SESSION_HANDLE s, CK_MECHANISM *m, CK_OBJECT_HANDLE base, CK_ATTRIBUTE *t, CK_ULONG n, CK_OBJECT_HANDLE *o)
{
	CALL(DERIVE_KEY, outside(derive(s, m, inside(base), t, n, o), o));
}

static int start(void)
{
	if (control != NULL)
		return 1;
	int fd = open(getenv("FAULT_CONTROL"), O_RDWR);
	void *lib = dlopen(getenv("FAULT_MODULE"), RTLD_NOW | RTLD_LOCAL);
	if (fd < 0 || lib == NULL)
		return 0;
	control = mmap(NULL, sizeof *control, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	CK_RV (*get)(CK_FUNCTION_LIST **) = (CK_RV(*)(CK_FUNCTION_LIST **))dlsym(lib, "C_GetFunctionList");
	return control != MAP_FAILED && get != NULL && get(&real) == CKR_OK;
}

CK_RV C_GetFunctionList(CK_FUNCTION_LIST **out)
{
	if (!start())
		return CKR_FUNCTION_FAILED;
	list = *real;
	list.C_Initialize = initialize;
	list.C_Finalize = finalize;
	list.C_GetSlotList = getSlotList;
	list.C_GetTokenInfo = getTokenInfo;
	list.C_OpenSession = openSession;
	list.C_CloseSession = closeSession;
	list.C_GetSessionInfo = getSessionInfo;
	list.C_Login = login;
	list.C_CreateObject = createObject;
	list.C_CopyObject = copyObject;
	list.C_DestroyObject = destroyObject;
	list.C_GetAttributeValue = getAttributeValue;
	list.C_FindObjectsInit = findInit;
	list.C_FindObjects = find;
	list.C_FindObjectsFinal = findFinal;
	list.C_EncryptInit = encryptInit;
	list.C_Encrypt = encrypt;
	list.C_GenerateKey = generateKey;
	list.C_DeriveKey = deriveKey;
	list.C_WrapKey = wrapKey;
	list.C_UnwrapKey = unwrapKey;
	*out = &list;
	return CKR_OK;
}
