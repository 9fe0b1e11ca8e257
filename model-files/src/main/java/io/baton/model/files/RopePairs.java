package io.baton.model.files;

/**
 * Which two rows of a head of the query and key matrices are rotated together, as the file stores them. The same model
 * comes in both orders: GGUF permutes a Llama's rows so that pairs are adjacent, Hugging Face does not. Whoever
 * computes reorders to one layout of its own at load.
 */
public enum RopePairs {
    /** Rows 2i and 2i + 1. */
    ADJACENT,
    /** Rows i and i + half the rotated dimensions. */
    HALVES
}
