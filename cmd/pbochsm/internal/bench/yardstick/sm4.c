/*
 * The yardstick of the benchmarks in SM4: a TAC with OpenSSL's EVP calls, as
 * carefully as they allow: ciphers are fetched once, contexts are used again, and
 * that of the master key keeps its round keys. Prints "tac NS", the fastest of
 * many rounds of 64 operations.
 */
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { OPS = 64, ROUNDS = 4000 };

static EVP_CIPHER_CTX *master, *card;
static volatile unsigned char sink; /* keeps the work from being optimised away */

static void must(int ok)
{
	if (!ok) {
		fputs("OpenSSL has no SM4\n", stderr);
		exit(1);
	}
}

static void tac(const unsigned char factor[8], const unsigned char data[32])
{
	static const unsigned char zero[16];
	unsigned char block[16], key[16], out[32], claimed[4] = { 0 };
	int n;
	for (int i = 0; i < 8; i++) {
		block[i] = factor[i];
		block[8 + i] = ~factor[i];
	}
	must(EVP_EncryptUpdate(master, key, &n, block, sizeof block));
	must(EVP_EncryptInit_ex(card, NULL, NULL, key, zero));
	must(EVP_EncryptUpdate(card, out, &n, data, sizeof out));
	sink += CRYPTO_memcmp(out + 16, claimed, 4);
}

static EVP_CIPHER_CTX *context(const char *name, const unsigned char *key, const unsigned char *iv)
{
	EVP_CIPHER *cipher = EVP_CIPHER_fetch(NULL, name, NULL);
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	must(cipher != NULL && ctx != NULL);
	must(EVP_EncryptInit_ex(ctx, cipher, NULL, key, iv));
	must(EVP_CIPHER_CTX_set_padding(ctx, 0));
	return ctx;
}

static double seconds(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec * 1e-9;
}

int main(void)
{
	unsigned char key[16] = { 0x11, 0x22, 0x33 }, factor[8] = { 0x20, 0x11, 0x12, 0x21 }, data[32] = { 1, 2, 3 };
	double best = 1;
	master = context("SM4-ECB", key, NULL);
	card = context("SM4-CBC", key, key);
	for (int r = 0; r < ROUNDS; r++) {
		double start = seconds();
		for (int i = 0; i < OPS; i++) {
			factor[7]++;
			tac(factor, data);
		}
		double took = seconds() - start;
		if (took < best)
			best = took;
	}
	printf("tac %.1f\n", best * 1e9 / OPS);
	return 0;
}
