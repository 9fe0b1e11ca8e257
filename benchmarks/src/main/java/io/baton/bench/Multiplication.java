package io.baton.bench;

import io.baton.engine.ActivationMode;
import io.baton.engine.KvType;
import java.util.Locale;

/** A way to multiply and add that a processor has a limit for. */
public enum Multiplication {
    F32,
    BF16,
    /** Weights of eight bits times int8. */
    INT8,
    /** Weights of at most six bits times int8: sums stay in 16 bits for longer, which some processors do faster. */
    INT8_NARROW;

    /** Of matrix products: what weights of a file's type are multiplied in. */
    static Multiplication of(ActivationMode activations, String quant) {
        return switch (activations) {
            case F32 -> F32;
            case BF16 -> BF16;
            case Q8 -> quant.equals("q8_0") ? INT8 : INT8_NARROW;
        };
    }

    /** Of attention: the fastest that any part of it may be computed in. */
    static Multiplication of(KvType kv) {
        return switch (kv) {
            case F32 -> F32;
            case BF16 -> BF16;
            case Q8 -> INT8;
        };
    }

    /** The limit's name in results. */
    String limitName() {
        return this == INT8_NARROW ? "int8" : name().toLowerCase(Locale.ROOT);
    }
}
