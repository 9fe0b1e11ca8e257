/* How K and V of a head lie in a pool, as io.baton.engine.memory.KvLayout says and hands to attention. */
#pragma once

#include <stdint.h>

enum kv_type { KV_F32, KV_BF16, KV_Q8 };

/* Where one KV head lies in a unit; bytes. */
struct kv_head {
    int64_t type, block_tokens, head_dim;
    int64_t keys, values, key_scales, value_scales;
    int64_t key_panel, value_panel;
    int64_t head_bytes; /* to the next head */
};
