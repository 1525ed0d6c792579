"""The document is true: every endpoint is called as it says, and answers as it says."""

import jsonschema
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from openapi_spec_validator import OpenAPIV31SpecValidator

from connector_host.web.api import ENDPOINTS
from connector_host.web.api.openapi import document_of

from .conftest import form_of

DOCUMENT = document_of(ENDPOINTS)
OPERATIONS = [(endpoint.method, endpoint.path) for endpoint in ENDPOINTS]
REFUSED = [401, 404, 409, 422]
"""What a request that fits the document may be refused with: names that are not there, values the connector refuses."""

CONFIG = schemathesis.Config.from_dict(
    {
        "checks": {
            "positive_data_acceptance": {"expected-statuses": ["2xx", *map(str, REFUSED)]},
            "negative_data_rejection": {"expected-statuses": ["400", "401", "404", "405", "409", "413", "415", "422"]},
        },
    }
)


def test_the_document_is_openapi():
    assert [error.message for error in OpenAPIV31SpecValidator(DOCUMENT).iter_errors()] == []
    for schema in DOCUMENT["components"]["schemas"].values():
        jsonschema.Draft202012Validator.check_schema(schema)


def test_it_is_served_to_anyone(api):
    answer = api.client.get("openapi.json", headers={"Authorization": ""})
    assert answer.status_code == 200
    assert answer.json() == DOCUMENT


@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_every_endpoint_holds_what_it_says(api, vendor, method, path):
    running = vendor()
    assert api.client.post("instances", json=form_of(running)).status_code == 201
    schema = schemathesis.openapi.from_dict(DOCUMENT, config=CONFIG)
    schema.config.update(base_url=f"{api.address}/api/v1")
    operation = schema[path][method]

    @given(case=operation.as_strategy())
    @settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck), database=None, derandomize=True)
    def run(case):
        case.call_and_validate(headers={"Authorization": f"Bearer {api.token}"})

    run()
