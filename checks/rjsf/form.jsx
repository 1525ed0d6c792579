// Renders a form's JSON with the real react-jsonschema-form; what is submitted stands in `window.submitted`.
import Form from "@rjsf/core";
import validator from "@rjsf/validator-ajv8";
import { createRoot } from "react-dom/client";

window.show = function (form) {
  createRoot(document.getElementById("root")).render(
    <Form
      schema={form.schema}
      uiSchema={form.uiSchema}
      formData={form.formData}
      validator={validator}
      noHtml5Validate
      onSubmit={({ formData }) => {
        window.submitted = formData;
      }}
      onError={(errors) => {
        window.refused = errors.map((error) => error.property);
      }}
    />,
  );
};
