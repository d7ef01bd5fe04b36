/* What a WebSocket server answers to a client's key (RFC 6455, section 4.2.2): base64 of a SHA-1. */
#ifndef ACCEPT_KEY_H
#define ACCEPT_KEY_H

#include <arpa/inet.h>
#include <stdint.h>
#include <string.h>

enum { KEY_LENGTH = 24, ACCEPT_LENGTH = 28 };

static uint32_t rotate(uint32_t word, int bits) { return word << bits | word >> (32 - bits); }

/* SHA-1 (FIPS 180-4) of at most 119 bytes: two blocks. */
static void sha1(const char *text, size_t length, unsigned char digest[20]) {
  unsigned char blocks[128] = {0};
  size_t size = length < 56 ? 64 : 128;
  memcpy(blocks, text, length);
  blocks[length] = 0x80;
  blocks[size - 2] = (unsigned char)(length * 8 >> 8);
  blocks[size - 1] = (unsigned char)(length * 8);
  uint32_t state[5] = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0};
  for (unsigned char *block = blocks; block < blocks + size; block += 64) {
    uint32_t words[80], a = state[0], b = state[1], c = state[2], d = state[3], e = state[4];
    for (int i = 0; i < 16; i++) {
      memcpy(&words[i], block + 4 * i, 4);
      words[i] = ntohl(words[i]);
    }
    for (int i = 16; i < 80; i++) words[i] = rotate(words[i - 3] ^ words[i - 8] ^ words[i - 14] ^ words[i - 16], 1);
    for (int i = 0; i < 80; i++) {
      uint32_t mix = i < 20   ? ((b & c) | (~b & d)) + 0x5a827999
                     : i < 40 ? (b ^ c ^ d) + 0x6ed9eba1
                     : i < 60 ? ((b & c) | (b & d) | (c & d)) + 0x8f1bbcdc
                              : (b ^ c ^ d) + 0xca62c1d6;
      uint32_t next = rotate(a, 5) + mix + e + words[i];
      e = d, d = c, c = rotate(b, 30), b = a, a = next;
    }
    state[0] += a, state[1] += b, state[2] += c, state[3] += d, state[4] += e;
  }
  for (int i = 0; i < 5; i++) {
    uint32_t word = htonl(state[i]);
    memcpy(digest + 4 * i, &word, 4);
  }
}

/* 20 bytes become 28 characters: the last group has one byte too few. */
static void base64(const unsigned char digest[20], char text[29]) {
  static const char DIGITS[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  for (int group = 0; group < 7; group++) {
    const unsigned char *bytes = digest + 3 * group;
    uint32_t bits = (uint32_t)bytes[0] << 16 | (uint32_t)bytes[1] << 8 | (group < 6 ? bytes[2] : 0);
    for (int i = 0; i < 4; i++) text[4 * group + i] = DIGITS[bits >> (18 - 6 * i) & 63];
  }
  text[27] = '=';
  text[28] = '\0';
}

/* Both end with a zero; the key has KEY_LENGTH characters at most. */
static void make_accept_key(const char *key, char accept[ACCEPT_LENGTH + 1]) {
  static const char GUID[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
  char joined[KEY_LENGTH + sizeof GUID];
  unsigned char digest[20];
  strcpy(joined, key);
  strcat(joined, GUID);
  sha1(joined, strlen(joined), digest);
  base64(digest, accept);
}

#endif
