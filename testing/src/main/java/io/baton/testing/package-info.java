/**
 * What the tests of several modules share: time that passes when told ({@link io.baton.testing.ManualScheduler}),
 * waiting for other threads ({@link io.baton.testing.Waiting}), a vocabulary and models too small to have learned
 * anything ({@link io.baton.testing.ByteVocabulary}, {@link io.baton.testing.TinyModel}), and real files that may be
 * absent ({@link io.baton.testing.SharedFiles}). Only tests depend on it.
 */
@NullMarked
package io.baton.testing;

import org.jspecify.annotations.NullMarked;
