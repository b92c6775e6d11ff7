// SPDX-License-Identifier: MIT
#include "engine/core/logging.h"

Q_LOGGING_CATEGORY(logCore, "isol8.core", QtInfoMsg)
Q_LOGGING_CATEGORY(logAudit, "isol8.audit", QtInfoMsg)
Q_LOGGING_CATEGORY(logDocker, "isol8.docker", QtInfoMsg)
Q_LOGGING_CATEGORY(logSandbox, "isol8.sandbox", QtInfoMsg)
Q_LOGGING_CATEGORY(logImages, "isol8.images", QtInfoMsg)
Q_LOGGING_CATEGORY(logSource, "isol8.source", QtInfoMsg)
Q_LOGGING_CATEGORY(logServe, "isol8.serve", QtInfoMsg)
Q_LOGGING_CATEGORY(logRemote, "isol8.remote", QtInfoMsg)
