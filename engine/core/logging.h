// SPDX-License-Identifier: MIT
#pragma once

#include <QLoggingCategory>

// Every logging category of isol8. User code, standard input, environment values and keys are never
// logged. `--debug` shows the debug level of all of them.
Q_DECLARE_LOGGING_CATEGORY(logCore) // isol8.core
Q_DECLARE_LOGGING_CATEGORY(logAudit) // isol8.audit
Q_DECLARE_LOGGING_CATEGORY(logDocker) // isol8.docker
Q_DECLARE_LOGGING_CATEGORY(logSandbox) // isol8.sandbox
Q_DECLARE_LOGGING_CATEGORY(logImages) // isol8.images
Q_DECLARE_LOGGING_CATEGORY(logSource) // isol8.source
Q_DECLARE_LOGGING_CATEGORY(logServe) // isol8.serve
Q_DECLARE_LOGGING_CATEGORY(logRemote) // isol8.remote
