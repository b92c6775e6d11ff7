// SPDX-License-Identifier: MIT
#include "engine/core/engine.h"
// The meta-object code of Run is compiled here.
#include "moc_engine.cpp"
