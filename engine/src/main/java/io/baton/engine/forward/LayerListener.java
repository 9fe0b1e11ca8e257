package io.baton.engine.forward;

/** Told when a layer's K and V are in the pool. Called by the thread that runs the pass; must not block. */
@FunctionalInterface
public interface LayerListener {

    LayerListener NONE = layer -> {};

    /** In {@code layer}, K and V of all rows of the batch are in the pool and final. */
    void layerFinished(int layer);
}
