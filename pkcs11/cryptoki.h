/* What chain.c and the C programs of the tests need of PKCS #11 2.40: types,
 * numbers, and the order of the functions in CK_FUNCTION_LIST. */
#ifndef PBOCHSM_CRYPTOKI_H
#define PBOCHSM_CRYPTOKI_H

typedef unsigned char CK_BYTE;
typedef unsigned char CK_BBOOL;
typedef unsigned long CK_ULONG;
typedef CK_ULONG CK_RV;
typedef CK_ULONG CK_FLAGS;
typedef CK_ULONG CK_SLOT_ID;
typedef CK_ULONG CK_SESSION_HANDLE;
typedef CK_ULONG CK_OBJECT_HANDLE;

typedef struct {
	CK_ULONG type;
	void *pValue;
	CK_ULONG ulValueLen;
} CK_ATTRIBUTE;

typedef struct {
	CK_ULONG mechanism;
	void *pParameter;
	CK_ULONG ulParameterLen;
} CK_MECHANISM;

typedef struct {
	void *CreateMutex, *DestroyMutex, *LockMutex, *UnlockMutex;
	CK_FLAGS flags;
	void *pReserved;
} CK_C_INITIALIZE_ARGS;

typedef struct {
	CK_BYTE *pData;
	CK_ULONG ulLen;
} CK_KEY_DERIVATION_STRING_DATA;

typedef struct {
	CK_SLOT_ID slotID;
	CK_ULONG state;
	CK_FLAGS flags;
	CK_ULONG ulDeviceError;
} CK_SESSION_INFO;

/* Functions without a type are not called from here. */
typedef struct {
	CK_BYTE version[2];
	CK_RV (*C_Initialize)(void *args);
	CK_RV (*C_Finalize)(void *reserved);
	void *C_GetInfo, *C_GetFunctionList;
	CK_RV (*C_GetSlotList)(CK_BBOOL present, CK_SLOT_ID *list, CK_ULONG *count);
	void *C_GetSlotInfo;
	CK_RV (*C_GetTokenInfo)(CK_SLOT_ID slot, void *info);
	void *C_GetMechanismList, *C_GetMechanismInfo, *C_InitToken, *C_InitPIN, *C_SetPIN;
	CK_RV (*C_OpenSession)(CK_SLOT_ID slot, CK_FLAGS flags, void *app, void *notify, CK_SESSION_HANDLE *s);
	CK_RV (*C_CloseSession)(CK_SESSION_HANDLE s);
	CK_RV (*C_CloseAllSessions)(CK_SLOT_ID slot);
	CK_RV (*C_GetSessionInfo)(CK_SESSION_HANDLE s, CK_SESSION_INFO *info);
	void *C_GetOperationState, *C_SetOperationState;
	CK_RV (*C_Login)(CK_SESSION_HANDLE s, CK_ULONG user, CK_BYTE *pin, CK_ULONG n);
	CK_RV (*C_Logout)(CK_SESSION_HANDLE s);
	CK_RV (*C_CreateObject)(CK_SESSION_HANDLE s, CK_ATTRIBUTE *t, CK_ULONG n, CK_OBJECT_HANDLE *o);
	CK_RV (*C_CopyObject)(CK_SESSION_HANDLE s, CK_OBJECT_HANDLE from, CK_ATTRIBUTE *t, CK_ULONG n, CK_OBJECT_HANDLE *o);
	CK_RV (*C_DestroyObject)(CK_SESSION_HANDLE s, CK_OBJECT_HANDLE o);
	void *C_GetObjectSize;
	CK_RV (*C_GetAttributeValue)(CK_SESSION_HANDLE s, CK_OBJECT_HANDLE o, CK_ATTRIBUTE *t, CK_ULONG n);
	void *C_SetAttributeValue;
	CK_RV (*C_FindObjectsInit)(CK_SESSION_HANDLE s, CK_ATTRIBUTE *t, CK_ULONG n);
	CK_RV (*C_FindObjects)(CK_SESSION_HANDLE s, CK_OBJECT_HANDLE *o, CK_ULONG max, CK_ULONG *n);
	CK_RV (*C_FindObjectsFinal)(CK_SESSION_HANDLE s);
	CK_RV (*C_EncryptInit)(CK_SESSION_HANDLE s, CK_MECHANISM *m, CK_OBJECT_HANDLE key);
	CK_RV (*C_Encrypt)(CK_SESSION_HANDLE s, CK_BYTE *in, CK_ULONG n, CK_BYTE *out, CK_ULONG *outLen);
	void *C_EncryptUpdate, *C_EncryptFinal, *C_DecryptInit, *C_Decrypt, *C_DecryptUpdate, *C_DecryptFinal;
	void *C_DigestInit, *C_Digest, *C_DigestUpdate, *C_DigestKey, *C_DigestFinal;
	void *C_SignInit, *C_Sign, *C_SignUpdate, *C_SignFinal, *C_SignRecoverInit, *C_SignRecover;
	void *C_VerifyInit, *C_Verify, *C_VerifyUpdate, *C_VerifyFinal, *C_VerifyRecoverInit, *C_VerifyRecover;
	void *C_DigestEncryptUpdate, *C_DecryptDigestUpdate, *C_SignEncryptUpdate, *C_DecryptVerifyUpdate;
	CK_RV (*C_GenerateKey)(CK_SESSION_HANDLE s, CK_MECHANISM *m, CK_ATTRIBUTE *t, CK_ULONG n, CK_OBJECT_HANDLE *o);
	void *C_GenerateKeyPair;
	CK_RV (*C_WrapKey)(CK_SESSION_HANDLE s, CK_MECHANISM *m, CK_OBJECT_HANDLE kek, CK_OBJECT_HANDLE key, CK_BYTE *out, CK_ULONG *n);
	CK_RV (*C_UnwrapKey)(CK_SESSION_HANDLE s, CK_MECHANISM *m, CK_OBJECT_HANDLE kek, CK_BYTE *in, CK_ULONG n, CK_ATTRIBUTE *t, CK_ULONG nt, CK_OBJECT_HANDLE *o);
	CK_RV (*C_DeriveKey)(CK_SESSION_HANDLE s, CK_MECHANISM *m, CK_OBJECT_HANDLE base, CK_ATTRIBUTE *t, CK_ULONG n, CK_OBJECT_HANDLE *o);
	void *C_SeedRandom, *C_GenerateRandom, *C_GetFunctionStatus, *C_CancelFunction, *C_WaitForSlotEvent;
} CK_FUNCTION_LIST;

enum {
	CKU_USER = 1,
	CKF_RW_SESSION = 2, CKF_SERIAL_SESSION = 4, CKF_OS_LOCKING_OK = 2,
	CKO_SECRET_KEY = 4,
	CKK_GENERIC_SECRET = 0x10, CKK_DES = 0x13, CKK_DES2 = 0x14, CKK_DES3 = 0x15, CKK_AES = 0x1F,
	CKM_DES_CBC = 0x122, CKM_DES3_CBC = 0x133, CKM_XOR_BASE_AND_DATA = 0x364,
	CKM_AES_CBC = 0x1082, CKM_DES3_ECB_ENCRYPT_DATA = 0x1102,
	CKA_CLASS = 0, CKA_TOKEN = 1, CKA_PRIVATE = 2, CKA_LABEL = 3, CKA_VALUE = 0x11, CKA_KEY_TYPE = 0x100, CKA_ID = 0x102,
	CKA_SENSITIVE = 0x103, CKA_ENCRYPT = 0x104, CKA_DECRYPT = 0x105, CKA_DERIVE = 0x10C,
	CKA_VALUE_LEN = 0x161, CKA_EXTRACTABLE = 0x162,
	CKR_OK = 0, CKR_FUNCTION_FAILED = 6
};

#endif
