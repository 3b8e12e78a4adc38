// SPDX-License-Identifier: Apache-2.0
#include "cdocuments.h"

// C23, 6.10.4: the compiler reads them as bytes. It does so in older C, too, and says so.
#pragma clang diagnostic ignored "-Wc23-extensions"
static const unsigned char openapi_json[] = {
#embed "documents/openapi.json"
};
static const unsigned char docs_html[] = {
#embed "documents/docs.html"
};
static const unsigned char docs_css[] = {
#embed "documents/docs.css"
};
static const unsigned char docs_js[] = {
#embed "documents/docs.js"
};
// A page of the documentation, which is one for who reads the repository and for who asks the service.
static const unsigned char errors_md[] = {
#embed "../../../docs/errors.md"
};

static const struct cdocument documents[] = {
    {"openapi.json", openapi_json, sizeof openapi_json},
    {"docs.html", docs_html, sizeof docs_html},
    {"docs.css", docs_css, sizeof docs_css},
    {"docs.js", docs_js, sizeof docs_js},
    {"errors.md", errors_md, sizeof errors_md},
};

const struct cdocument *cdocument_at(size_t place) {
    return place < sizeof documents / sizeof *documents ? &documents[place] : NULL;
}
