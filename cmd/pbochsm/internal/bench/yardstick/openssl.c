/*
 * The yardstick of the benchmarks: a TAC and a load with OpenSSL's legacy DES
 * calls, written as carefully as they allow: the schedules of the master key
 * are made once, nothing is allocated. Prints "tac NS", "load NS" and
 * "block NS", each the fastest of many rounds of 64 operations.
 */
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/crypto.h>
#include <openssl/des.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { OPS = 64, ROUNDS = 4000 };

static DES_key_schedule master_left, master_right;
static volatile unsigned char sink; /* keeps the work from being optimised away */

static void e3(const unsigned char *in, unsigned char *out, DES_key_schedule *left, DES_key_schedule *right)
{
	DES_ecb3_encrypt((const_DES_cblock *)in, (DES_cblock *)out, left, right, left, DES_ENCRYPT);
}

static void diversify(const unsigned char factor[8], unsigned char key[16])
{
	unsigned char not[8];
	for (int i = 0; i < 8; i++)
		not[i] = ~factor[i];
	e3(factor, key, &master_left, &master_right);
	e3(not, key + 8, &master_left, &master_right);
}

static void mac(DES_key_schedule *key, const unsigned char *data, int blocks, unsigned char out[8])
{
	DES_cblock iv = { 0 };
	DES_cbc_cksum(data, (DES_cblock *)out, 8 * blocks, key, &iv);
}

static void tac(unsigned char factor[8], const unsigned char data[32])
{
	unsigned char key[16], out[8], claimed[4] = { 0 };
	DES_key_schedule folded;
	diversify(factor, key);
	for (int i = 0; i < 8; i++)
		key[i] ^= key[8 + i];
	DES_set_key_unchecked((const_DES_cblock *)key, &folded);
	mac(&folded, data, 4, out);
	sink += CRYPTO_memcmp(out, claimed, 4);
}

static void load(unsigned char factor[8], const unsigned char data[32])
{
	unsigned char key[16], session[8], out[8], claimed[4] = { 0 };
	DES_key_schedule left, right, last;
	diversify(factor, key);
	DES_set_key_unchecked((const_DES_cblock *)key, &left);
	DES_set_key_unchecked((const_DES_cblock *)(key + 8), &right);
	e3(data, session, &left, &right);
	DES_set_key_unchecked((const_DES_cblock *)session, &last);
	mac(&last, data, 2, out);
	sink += CRYPTO_memcmp(out, claimed, 4);
	mac(&last, data, 3, out);
	sink += out[0];
}

static void block(unsigned char factor[8], const unsigned char data[32])
{
	(void)data;
	DES_ecb_encrypt((const_DES_cblock *)factor, (DES_cblock *)factor, &master_left, DES_ENCRYPT);
}

static double seconds(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec * 1e-9;
}

static void measure(const char *name, void (*op)(unsigned char *, const unsigned char *))
{
	unsigned char factor[8] = { 0x20, 0x11, 0x12, 0x21 }, data[32] = { 1, 2, 3 };
	double best = 1;
	for (int r = 0; r < ROUNDS; r++) {
		double start = seconds();
		for (int i = 0; i < OPS; i++) {
			factor[7]++;
			op(factor, data);
		}
		double took = seconds() - start;
		if (took < best)
			best = took;
	}
	printf("%s %.1f\n", name, best * 1e9 / OPS);
}

int main(void)
{
	DES_cblock left = { 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88 };
	DES_cblock right = { 0x88, 0x77, 0x66, 0x55, 0x44, 0x33, 0x22, 0x11 };
	DES_set_key_unchecked(&left, &master_left);
	DES_set_key_unchecked(&right, &master_right);
	measure("tac", tac);
	measure("load", load);
	measure("block", block);
	return 0;
}
