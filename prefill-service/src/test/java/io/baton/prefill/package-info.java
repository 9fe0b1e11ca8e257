@NullMarked
package io.baton.prefill;

import org.jspecify.annotations.NullMarked;
