// SPDX-License-Identifier: MIT
#pragma once

#include <QMap>
#include <QTableWidget>

namespace isol8::ui {

/// Names with values, edited in place; there is always one empty row for the next. Secret values
/// are shown as dots once they are entered.
class PairsTable : public QTableWidget {
    Q_OBJECT

public:
    enum class Kind { Plain, Secret };
    PairsTable(const QString& name, Kind kind, QWidget* parent = nullptr);

    [[nodiscard]] QMap<QString, QString> pairs() const;
    void setPairs(const QMap<QString, QString>& pairs);

Q_SIGNALS:
    void edited();

protected:
    void keyPressEvent(QKeyEvent* event) override;

private:
    void handleChange();
    void addRow(const QString& name, const QString& value);

    Kind m_kind;
    bool m_isFilling = false;
};

} // namespace isol8::ui
