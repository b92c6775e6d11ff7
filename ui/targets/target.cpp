// SPDX-License-Identifier: MIT
#include "ui/targets/target.h"

#include <QCoreApplication>

namespace isol8::ui {

using namespace Qt::StringLiterals;

Target localTarget()
{
    return { u"local"_s, QCoreApplication::translate("Target", "This computer"), {} };
}

} // namespace isol8::ui
