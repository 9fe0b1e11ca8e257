/**
 * What must hold for the system as a whole: the module table, and real services on loopback driven through the public
 * client. Tests that want a real trained model skip where none is at hand.
 */
@NullMarked
package io.baton.e2e;

import org.jspecify.annotations.NullMarked;
