/**
 * Model files read without trust: {@link io.baton.model.files.ModelFile} opens one and gives its
 * {@link io.baton.model.files.ModelMetadata sizes}, its {@link io.baton.model.files.Tensor tensors} under canonical
 * names and its {@link io.baton.model.files.VocabularyFile vocabulary}; every fault is a
 * {@link io.baton.model.files.ModelFileException} that names file, offset and field. The readers allocate nothing by a
 * number they have not checked against the size of the file. An open file is immutable and may be read by any thread;
 * whoever opened it closes it, after the last read of a tensor's bytes.
 */
@NullMarked
package io.baton.model.files;

import org.jspecify.annotations.NullMarked;
