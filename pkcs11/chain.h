/* The whole chain of one operation in one call. See chain.c. */
#ifndef PBOCHSM_CHAIN_H
#define PBOCHSM_CHAIN_H

#include "cryptoki.h"

enum { MAX_LEVELS = 4, MAX_BLOCK = 16, MAX_MESSAGE = 512 };

/* How the last key comes to be. */
enum final {
	FINAL_SESSION = 1, /* derived from the card's key over the session data */
	FINAL_FOLD,        /* the halves of the card's key, folded */
	FINAL_CARD,        /* the card's key itself */
	FINAL_READY,       /* the key that the chain begins with */
	FINAL_LOCK         /* derived from the session key over the lock's data */
};

/* What the last key does. */
enum mode {
	MODE_TRANSACTION, /* CBC of each message */
	MODE_RETAIL,      /* the retail MAC of message 0 under the card's key */
	MODE_ENCIPHER     /* message 0 enciphered in its place, block by block */
};

/* As TACWay in config.go. */
enum way { WAY_HOST = 1, WAY_UNWRAP, WAY_DATA, WAY_VENDOR };

/* What does not change from chain to chain. */
struct recipe {
	CK_ULONG block;       /* bytes in a block */
	CK_ULONG keyType, derive, cbc;
	CK_ULONG sessionType, sessionDerive, sessionCBC;
	CK_ULONG sessionCopies; /* how often the session data are repeated; 0: data and complement */
	CK_ULONG xorKeys;     /* vendor mechanism of WAY_VENDOR */
	CK_OBJECT_HANDLE kek; /* AES key of WAY_UNWRAP */
	CK_BYTE sendLength;   /* state CKA_VALUE_LEN */
	CK_BYTE inlineData;   /* ProtectServer's layout of the parameter */
	CK_BYTE private_;     /* cards' keys are private objects */
	CK_BYTE way;
};

/* One chain. The key that it may keep is the card's key, or the folded one. */
struct chain {
	CK_OBJECT_HANDLE key;     /* in: where the chain begins */
	CK_OBJECT_HANDLE discard; /* in: a key to destroy first; 0: none */
	CK_OBJECT_HANDLE kept;    /* out: the key that was kept; 0: none */
	CK_RV rv;                 /* out: of the call that failed */
	CK_BYTE step;             /* out: which call that was, a number of enum step */
	CK_BYTE residue;          /* out: an object could not be destroyed */
	CK_BYTE derived;          /* out: objects that were made */
	CK_BYTE levels, final, mode, keep;
	CK_BYTE factors[MAX_LEVELS][8];
	CK_BYTE data[8], lock[8];
	CK_BYTE iv[MAX_BLOCK];    /* of MODE_RETAIL */
	unsigned short length[2]; /* bytes in each message, whole blocks; 0: no message */
	CK_BYTE message[2][MAX_MESSAGE];
	CK_BYTE mac[2][MAX_BLOCK]; /* out: the last block of each message */
};

enum step { STEP_NONE, STEP_DERIVE, STEP_READ, STEP_WRAP, STEP_UNWRAP, STEP_CREATE, STEP_ENCRYPT_INIT, STEP_ENCRYPT };

const char *library_open(const char *path, CK_FUNCTION_LIST **list);
void library_spare(int threads);
void library_trim(void);
void chain_run(const CK_FUNCTION_LIST *f, const struct recipe *r, CK_SESSION_HANDLE s, struct chain *c);

#endif
