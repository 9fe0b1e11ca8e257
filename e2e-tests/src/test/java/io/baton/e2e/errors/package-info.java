/** Every error of {@code docs/errors.md}, provoked. */
@NullMarked
package io.baton.e2e.errors;

import org.jspecify.annotations.NullMarked;
