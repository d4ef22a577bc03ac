/* A load on a token, as plain C: the yardstick of the benchmark. It makes the
 * issuer's key as a session object, and then, ROUNDS times LOADS: derives a
 * card's key, derives a session key, makes MAC1 and MAC2, destroys both keys. It
 * prints the nanoseconds of a load in each round, and the last MACs.
 *
 * usage: plain MODULE SLOT-LABEL PIN ROUNDS LOADS PRIVATE [RESERVED] */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../cryptoki.h"

static CK_FUNCTION_LIST *f;
static CK_SESSION_HANDLE s;
static CK_BBOOL yes = 1, no = 0, private_;
static CK_ULONG secretKey = CKO_SECRET_KEY, des2 = CKK_DES2;

static void check(const char *call, CK_RV rv)
{
	if (rv == CKR_OK)
		return;
	fprintf(stderr, "plain: %s: 0x%lX\n", call, rv);
	exit(1);
}

static double now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static CK_OBJECT_HANDLE key(CK_OBJECT_HANDLE base, CK_BYTE *data, int mac, CK_BBOOL *private)
{
	CK_KEY_DERIVATION_STRING_DATA string = {data, 16};
	CK_MECHANISM m = {CKM_DES3_ECB_ENCRYPT_DATA, &string, sizeof string};
	CK_OBJECT_HANDLE k;
	CK_ATTRIBUTE t[] = {
		{CKA_CLASS, &secretKey, sizeof secretKey}, {CKA_KEY_TYPE, &des2, sizeof des2},
		{CKA_TOKEN, &no, 1}, {CKA_PRIVATE, private, 1}, {CKA_SENSITIVE, &yes, 1}, {CKA_EXTRACTABLE, &no, 1},
		{CKA_DERIVE, mac ? &no : &yes, 1}, {CKA_ENCRYPT, mac ? &yes : &no, 1},
	};
	check("C_DeriveKey", f->C_DeriveKey(s, &m, base, t, 8, &k));
	return k;
}

static void mac(CK_OBJECT_HANDLE k, CK_BYTE *in, CK_ULONG n, CK_BYTE out[4])
{
	CK_BYTE zero[8] = {0}, blocks[64];
	CK_MECHANISM m = {CKM_DES3_CBC, zero, 8};
	CK_ULONG size = sizeof blocks;
	check("C_EncryptInit", f->C_EncryptInit(s, &m, k));
	check("C_Encrypt", f->C_Encrypt(s, in, n, blocks, &size));
	memcpy(out, blocks + n - 8, 4);
}

static void open_(const char *module, const char *label, char *pin, char *reserved)
{
	void *lib = dlopen(module, RTLD_NOW);
	CK_RV (*get)(CK_FUNCTION_LIST **) = lib ? (CK_RV(*)(CK_FUNCTION_LIST **))dlsym(lib, "C_GetFunctionList") : NULL;
	CK_C_INITIALIZE_ARGS args = {0};
	CK_SLOT_ID slots[16];
	CK_ULONG n = 16;
	unsigned char info[512];
	if (get == NULL)
		exit(1);
	check("C_GetFunctionList", get(&f));
	args.flags = CKF_OS_LOCKING_OK;
	args.pReserved = reserved;
	check("C_Initialize", f->C_Initialize(&args));
	check("C_GetSlotList", f->C_GetSlotList(1, slots, &n));
	for (CK_ULONG i = 0; i < n; i++) {
		check("C_GetTokenInfo", f->C_GetTokenInfo(slots[i], info)); /* begins with the label, 32 bytes */
		if (memcmp(info, label, strlen(label)) == 0)
			check("C_OpenSession", f->C_OpenSession(slots[i], CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL, &s));
	}
	check("C_Login", f->C_Login(s, CKU_USER, (CK_BYTE *)pin, strlen(pin)));
}

int main(int argc, char **argv)
{
	CK_BYTE value[16], card[16] = {0}, session[16] = {0}, m1[16] = {1}, m2[24] = {2}, mac1[4], mac2[4];
	CK_ATTRIBUTE t[] = {
		{CKA_CLASS, &secretKey, sizeof secretKey}, {CKA_KEY_TYPE, &des2, sizeof des2},
		{CKA_TOKEN, &no, 1}, {CKA_PRIVATE, &yes, 1}, {CKA_SENSITIVE, &yes, 1}, {CKA_EXTRACTABLE, &no, 1},
		{CKA_DERIVE, &yes, 1}, {CKA_ENCRYPT, &no, 1}, {CKA_VALUE, value, sizeof value},
	};
	CK_OBJECT_HANDLE master;
	if (argc < 7)
		return 2;
	open_(argv[1], argv[2], argv[3], argc > 7 ? argv[7] : NULL);
	int rounds = atoi(argv[4]), loads = atoi(argv[5]);
	private_ = (CK_BBOOL)atoi(argv[6]);
	for (int i = 0; i < 16; i++)
		value[i] = (CK_BYTE)(0x11 * i);
	check("C_CreateObject", f->C_CreateObject(s, t, 9, &master));
	for (int round = 0; round < rounds; round++) {
		double start = now();
		for (unsigned i = 0; i < (unsigned)loads; i++) {
			memcpy(card, &i, sizeof i);
			memcpy(session, &i, sizeof i);
			for (int j = 0; j < 8; j++) {
				card[8 + j] = (CK_BYTE)~card[j];
				session[8 + j] = session[j];
			}
			CK_OBJECT_HANDLE c = key(master, card, 0, &private_), k = key(c, session, 1, &no);
			mac(k, m1, sizeof m1, mac1);
			mac(k, m2, sizeof m2, mac2);
			check("C_DestroyObject", f->C_DestroyObject(s, k));
			check("C_DestroyObject", f->C_DestroyObject(s, c));
		}
		printf("%.1f\n", (now() - start) / loads);
	}
	printf("%02X%02X%02X%02X %02X%02X%02X%02X\n", mac1[0], mac1[1], mac1[2], mac1[3], mac2[0], mac2[1], mac2[2], mac2[3]);
	return 0;
}
