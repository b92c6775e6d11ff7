// SPDX-License-Identifier: MIT
#pragma once

#include <QWidget>

namespace isol8::ui {

class CodeEditor;

/// Line numbers and the marks that fold. A click on a mark folds, on a number selects its line.
class LineGutter : public QWidget {
    Q_OBJECT

public:
    explicit LineGutter(CodeEditor* editor);

    [[nodiscard]] QSize sizeHint() const override;

protected:
    void paintEvent(QPaintEvent* event) override;
    void mousePressEvent(QMouseEvent* event) override;
    void wheelEvent(QWheelEvent* event) override;

private:
    [[nodiscard]] int foldWidth() const;

    CodeEditor* m_editor;
};

} // namespace isol8::ui
