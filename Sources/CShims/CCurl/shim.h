// SPDX-License-Identifier: Apache-2.0
// curl_easy_setopt and curl_easy_getinfo are variadic macros, which Swift does not import: one typed call per kind.
#pragma once
#include <curl/curl.h>
#include <stdint.h>

typedef size_t (*ccurl_data_function)(char *bytes, size_t size, size_t count, void *context);

static inline CURLcode ccurl_set_long(CURL *handle, CURLoption option, long value) {
    return curl_easy_setopt(handle, option, value);
}

/// libcurl copies the string.
static inline CURLcode ccurl_set_string(CURL *handle, CURLoption option, const char *value) {
    return curl_easy_setopt(handle, option, value);
}

/// For lists, contexts and the error buffer: libcurl keeps the pointer, the caller owns what it points to.
static inline CURLcode ccurl_set_pointer(CURL *handle, CURLoption option, void *value) {
    return curl_easy_setopt(handle, option, value);
}

static inline CURLcode ccurl_set_function(CURL *handle, CURLoption option, ccurl_data_function value) {
    return curl_easy_setopt(handle, option, value);
}

static inline CURLcode ccurl_response_code(CURL *handle, long *code) {
    return curl_easy_getinfo(handle, CURLINFO_RESPONSE_CODE, code);
}

static inline CURLcode ccurl_global_init(void) { return curl_global_init(CURL_GLOBAL_DEFAULT); }

/// For sizes: a body's length.
static inline CURLcode ccurl_set_large(CURL *handle, CURLoption option, int64_t value) {
    return curl_easy_setopt(handle, option, (curl_off_t)value);
}

/// Called at least once a second while a transfer runs; anything but 0 ends it (CURLE_ABORTED_BY_CALLBACK).
static inline CURLcode ccurl_set_progress(CURL *handle, curl_xferinfo_callback value) {
    return curl_easy_setopt(handle, CURLOPT_XFERINFOFUNCTION, value);
}

/// What a read function returns to end the transfer.
static inline size_t ccurl_read_abort(void) { return CURL_READFUNC_ABORT; }
