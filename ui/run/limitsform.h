// SPDX-License-Identifier: MIT
#pragma once

#include "engine/core/execution.h"

#include <QWidget>

#include <functional>

class QFormLayout;

namespace isol8::ui {

class CheckedLine;

/// The limits of a run, as texts with units.
class LimitsForm : public QWidget {
    Q_OBJECT

public:
    explicit LimitsForm(QWidget* parent);

    void setValues(const ExecutionOptions& options);

Q_SIGNALS:
    /// A good value was typed: @p change sets it.
    void edited(const std::function<void(isol8::ExecutionOptions&)>& change);

private:
    struct Field {
        CheckedLine* line;
        std::function<QString(const ExecutionOptions&)> read;
    };

    template <typename Parse, typename Write, typename Read>
    void addField(const char* name, const QString& label, Parse parse, Write write, Read read);

    QFormLayout* m_rows;
    QList<Field> m_fields;
};

} // namespace isol8::ui
