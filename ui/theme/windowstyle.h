// SPDX-License-Identifier: MIT
#pragma once

#include <QProxyStyle>

namespace isol8::ui {

/// Fusion with a quiet cross on tabs and no pictures on the buttons of dialogs. The application
/// owns it.
class WindowStyle : public QProxyStyle {
    Q_OBJECT

public:
    WindowStyle();

    void drawPrimitive(PrimitiveElement element, const QStyleOption* option, QPainter* painter,
        const QWidget* widget) const override;
    int styleHint(StyleHint hint, const QStyleOption* option, const QWidget* widget,
        QStyleHintReturn* returned) const override;
};

} // namespace isol8::ui
