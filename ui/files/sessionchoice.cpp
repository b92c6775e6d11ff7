// SPDX-License-Identifier: MIT
#include "ui/files/sessionchoice.h"

#include <QRandomGenerator>

namespace isol8::ui {

using namespace Qt::StringLiterals;

QString SessionChoice::freshId()
{
    return u"desk-%1"_s.arg(QRandomGenerator::system()->generate(), 8, 16, QChar(u'0'));
}

void SessionChoice::setOn(bool isOn)
{
    if (m_isOn == isOn)
        return;
    m_isOn = isOn;
    Q_EMIT changed();
}

void SessionChoice::choose(const QString& id)
{
    if (m_id == id && m_isOn)
        return;
    m_id = id;
    m_isOn = true;
    Q_EMIT changed();
}

} // namespace isol8::ui
