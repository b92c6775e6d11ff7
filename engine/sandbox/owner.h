// SPDX-License-Identifier: MIT
#pragma once

#include "engine/core/owner.h"
