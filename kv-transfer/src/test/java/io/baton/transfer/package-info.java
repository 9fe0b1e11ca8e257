@NullMarked
package io.baton.transfer;

import org.jspecify.annotations.NullMarked;
