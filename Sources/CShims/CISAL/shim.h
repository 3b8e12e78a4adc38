// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <isa-l/crc.h>
#include <isa-l/crc64.h>
#include <isa-l/igzip_lib.h>

/// The working memory ISA-L wants for a compression level (0 to 3), in bytes: macros that Swift cannot read.
/// The small ones: they end blocks earlier, and on mixed artifacts Huffman tables that fit a block gain 1 % at no cost.
static inline uint32_t cisal_level_buffer_size(uint32_t level) {
    switch (level) {
    case 0: return ISAL_DEF_LVL0_DEFAULT;
    case 1: return ISAL_DEF_LVL1_SMALL;
    case 2: return ISAL_DEF_LVL2_MIN + (32 << 10);
    default: return ISAL_DEF_LVL3_SMALL;
    }
}
