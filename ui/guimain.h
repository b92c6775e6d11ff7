// SPDX-License-Identifier: MIT
#pragma once

/// What the module exports: the desktop application, with the arguments of `isol8 gui` (its own
/// name first, then files). Returns its exit code.
extern "C" __attribute__((visibility("default"))) int isol8_gui_main(
    int argumentCount, char** arguments);
