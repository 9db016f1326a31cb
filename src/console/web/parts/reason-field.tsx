interface ReasonFieldProps {
  id: string;
  /** In a form that is read by its names. */
  name?: string;
  /** Where whoever shows it keeps what was typed. */
  value?: string;
  onChange?: (text: string) => void;
  isOptional?: boolean;
}

/** Why somebody did it, which the activity log keeps. */
export function ReasonField({ id, name, value, onChange, isOptional = false }: ReasonFieldProps) {
  return (
    <>
      <label for={id}>Reason, for whoever asks later{isOptional ? ' (may be left out)' : ''}</label>
      <input
        id={id}
        name={name}
        required={!isOptional}
        maxLength={500}
        value={value}
        onInput={onChange && ((event) => onChange(event.currentTarget.value))}
      />
    </>
  );
}
