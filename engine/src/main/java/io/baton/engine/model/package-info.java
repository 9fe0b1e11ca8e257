/**
 * Weights ready to compute with. {@link io.baton.engine.model.ModelPacker} turns a model file into a
 * {@link io.baton.engine.model.PackedModel}: every matrix in panels of one format, query and key rows in one canonical
 * order, whatever the file's. A packed model is immutable and shared by all engines of a process.
 */
@NullMarked
package io.baton.engine.model;

import org.jspecify.annotations.NullMarked;
