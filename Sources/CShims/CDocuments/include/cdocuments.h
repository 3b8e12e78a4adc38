// SPDX-License-Identifier: Apache-2.0
#ifndef CDOCUMENTS_H
#define CDOCUMENTS_H

#include <stddef.h>

/// Files that the program carries in itself, as they were when it was built.
struct cdocument {
    const char *name;
    const unsigned char *bytes;
    size_t count;
};

/// - Returns: one by its place; NULL after the last.
const struct cdocument *cdocument_at(size_t place);

#endif
