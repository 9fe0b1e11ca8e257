package io.baton.engine;

/**
 * The sizes of a decoder model.
 *
 * @param name for people, e.g. the file's own name for the model
 * @param architecture e.g. {@code llama}
 * @param dim width of the residual stream
 * @param hiddenDim width of the feed-forward layer
 * @param heads query heads
 * @param kvHeads key and value heads
 * @param headDim values per head
 * @param vocabularySize rows of the output matrix
 * @param contextLength positions the model was trained for
 */
public record ModelShape(
        String name,
        String architecture,
        int layers,
        int dim,
        int hiddenDim,
        int heads,
        int kvHeads,
        int headDim,
        int vocabularySize,
        int contextLength) {}
